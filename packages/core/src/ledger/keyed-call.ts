import type { InProgress, Mismatch, Replayed, Reserve } from './commands.js'
import { RECORD_KEPT_MS } from './limits.js'
import { standing } from './standing.js'
import type { AccountState, KeyedCall } from './state.js'
import { openReservation } from './sweep.js'

/** What a call under this idempotency key is told; `undefined` when the key is free. */
export function earlierCall(state: AccountState, { key, payload }: Reserve, now: number): InProgress | Replayed | Mismatch | undefined {
  const call = state.calls.get(key)
  if (key === '' || !call || call.keptUntil <= now) return undefined
  const open = openReservation(state, call.reservation, now)
  if (!call.finished && !open) return undefined
  if (call.payload !== payload) return { kind: 'mismatch', ...standing(state) }
  const { ceiling, charge, response, finished } = call
  if (finished || response !== '') return { kind: 'replayed', ceiling, charge, response, pending: !finished, ...standing(state) }
  return { kind: 'in_progress', now, expiresAt: open!.expiresAt, ...standing(state) }
}

/** Writes down what is known of a call under its key, unless the key has passed to another call since. */
export function keep(state: AccountState, key: string, call: Omit<KeyedCall, 'keptUntil'>, now: number): AccountState {
  if (key === '' || belongsToAnother(state, key, call.reservation, now)) return state
  return { ...state, calls: state.calls.set(key, { ...call, keptUntil: now + RECORD_KEPT_MS }) }
}

/** A call that failed has not used its key. */
export function free(state: AccountState, key: string, reservation: string): AccountState {
  return key !== '' && state.calls.get(key)?.reservation === reservation ? { ...state, calls: state.calls.delete(key) } : state
}

function belongsToAnother(state: AccountState, key: string, reservation: string, now: number): boolean {
  const call = state.calls.get(key)
  if (!call || call.keptUntil <= now || call.reservation === reservation) return false
  return call.finished || openReservation(state, call.reservation, now) !== undefined
}
