import type { InProgress, Mismatch, Replayed, Reserve } from './commands.js'
import { RECORD_KEPT_MS } from './limits.js'
import { openReservation } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState, KeyedCall } from './state.js'

/** The call that is remembered under this idempotency key. */
export function callUnder({ calls }: AccountState, key: string, now: number): KeyedCall | undefined {
  const call = calls.get(key)
  return call && call.keptUntil > now ? call : undefined
}

/** What a call under this idempotency key is told; `undefined` when the key is free. */
export function earlierCall(state: AccountState, { key, payload }: Reserve, now: number): InProgress | Replayed | Mismatch | undefined {
  const call = callUnder(state, key, now)
  if (!call) return undefined
  const open = openReservation(state, call.reservation, now)
  if (!call.finished && !open) return undefined
  if (call.payload !== payload) return { kind: 'mismatch', ...standing(state) }
  const { ceiling, charge, response, finished } = call
  if (finished || response !== '') return { kind: 'replayed', ceiling, charge, response, pending: !finished, ...standing(state) }
  return { kind: 'in_progress', now, expiresAt: open!.expiresAt, ...standing(state) }
}

/**
 * Writes down for RECORD_KEPT_MS, from `now` or later, what a call has answered under its key, unless that has passed to
 * another call since. A call that is finished takes it from one of the same payload that is still to answer: should that
 * fail, the key would be free again, and what was charged be sold once more.
 */
export function keep(state: AccountState, key: string, call: Omit<KeyedCall, 'keptUntil'>, now: number, from = now): AccountState {
  if (key === '' || belongsToAnother(state, key, call, now)) return state
  return { ...state, calls: state.calls.set(key, { ...call, keptUntil: from + RECORD_KEPT_MS }) }
}

/** A call whose operation goes on until then keeps its key as long. */
export function keepLonger(state: AccountState, key: string, reservation: string, until: number, now: number): AccountState {
  const call = callUnder(state, key, now)
  if (call?.reservation !== reservation) return state
  return { ...state, calls: state.calls.set(key, { ...call, keptUntil: Math.max(call.keptUntil, until) }) }
}

/** A call that failed has not used its key. One that is finished has, whatever comes after. */
export function free(state: AccountState, key: string, reservation: string, now: number): AccountState {
  const call = callUnder(state, key, now)
  return call?.reservation === reservation && !call.finished ? { ...state, calls: state.calls.delete(key) } : state
}

function belongsToAnother(state: AccountState, key: string, { reservation, payload, finished }: Omit<KeyedCall, 'keptUntil'>, now: number): boolean {
  const call = callUnder(state, key, now)
  if (!call || call.reservation === reservation) return false
  const canTake = finished && call.response === '' && call.payload === payload
  return call.finished || (!canTake && openReservation(state, call.reservation, now) !== undefined)
}
