import { renew } from './allowance.js'
import { dropEnded, nextReset } from './budgets.js'
import { earliest } from './calendar.js'
import { CLOSED_KEPT_MS, DAY_MS } from './limits.js'
import { expire, nextEnd } from './lots.js'
import type { PersistentMap } from './persistent-map.js'
import { letGo } from './reservations.js'
import type { AccountState } from './state.js'

/**
 * Does what time has brought: renews the allowance, lets expired reservations go, forgets those closed long ago and takes away credits that have
 * ended. Every command begins with it, so nobody ever sees credits held by a dead process. It costs a look at one number until `sweepAt`.
 */
export function sweep(before: AccountState, now: number): AccountState {
  if (before.sweepAt === 0 || now < before.sweepAt) return before
  const state = dropEnded(expire(letGo(renew(before, now), now), now), now)
  const { calls, operations } = state
  return { ...state, sweepAt: nextSweep(state, now), calls: dropForgotten(calls, now), operations: dropForgotten(operations, now) }
}

function nextSweep(state: AccountState, now: number): number {
  return [nextExpiry(state, now), nextEnd(state.lots, now), nextReset(state), (state.recurring?.until ?? 0) * DAY_MS].reduce(earliest)
}

function nextExpiry({ reservations }: AccountState, now: number): number {
  const kept = reservations.entries()
  if (kept.length === 0) return 0
  const next = kept.reduce((time, [, reservation]) => (reservation.kind === 'open' ? earliest(time, reservation.expiresAt) : time), 0)
  return earliest(next, now + CLOSED_KEPT_MS)
}

function dropForgotten<V extends { readonly keptUntil: number }>(records: PersistentMap<V>, now: number): PersistentMap<V> {
  return records.entries().reduce((kept, [key, { keptUntil }]) => (keptUntil > now ? kept : kept.delete(key)), records)
}
