import { CLOSED_KEPT_MS } from './limits.js'
import { change, expire, nextEnd } from './lots.js'
import type { PersistentMap } from './persistent-map.js'
import type { AccountState, OpenReservation, Reservation } from './state.js'

/**
 * Lets expired reservations go, forgets those closed long ago and takes away credits that have ended. Every command begins with it, so nobody
 * ever sees credits held by a dead process. It costs a look at one number until `sweepAt`.
 */
export function sweep(state: AccountState, now: number): AccountState {
  if (state.sweepAt === 0 || now < state.sweepAt) return state
  const open = letGo(state, now)
  const swept = expire(open, now)
  const sweepAt = [nextSweep(swept, now), nextEnd(swept.lots, now)].reduce(earliest)
  return { ...swept, sweepAt, calls: dropForgotten(state.calls, now), operations: dropForgotten(state.operations, now) }
}

function letGo(state: AccountState, now: number): AccountState {
  return state.reservations.entries().filter(([, reservation]) => isOver(reservation, now)).reduce((before, [id, reservation]) => {
    const freed = reservation.kind === 'open' ? unhold(before, reservation) : before
    return { ...freed, reservations: freed.reservations.delete(id) }
  }, state)
}

/** Gives back what a reservation holds. */
export function unhold(state: AccountState, { ceiling, shares }: OpenReservation): AccountState {
  return { ...change(state, 'held', shares, -1), reserved: state.reserved - ceiling }
}

function nextSweep({ reservations }: AccountState, now: number): number {
  const kept = reservations.entries()
  if (kept.length === 0) return 0
  const nextExpiry = kept.reduce((next, [, reservation]) => (reservation.kind === 'open' ? earliest(next, reservation.expiresAt) : next), 0)
  return earliest(nextExpiry, now + CLOSED_KEPT_MS)
}

function dropForgotten<V extends { readonly keptUntil: number }>(records: PersistentMap<V>, now: number): PersistentMap<V> {
  return records.entries().reduce((kept, [key, { keptUntil }]) => (keptUntil > now ? kept : kept.delete(key)), records)
}

/** A reservation that still holds its credits. */
export function openReservation({ reservations }: AccountState, id: string, now: number): OpenReservation | undefined {
  const known = reservations.get(id)
  return known?.kind === 'open' && !isOver(known, now) ? known : undefined
}

/** Whether a reservation no longer counts, although no sweep has taken it away yet. */
export function isOver(reservation: Reservation, now: number): boolean {
  return reservation.kind === 'open'
    ? reservation.expiresAt <= now
    : reservation.closedAt + CLOSED_KEPT_MS <= now
}

/** The earlier of two times, where 0 stands for none. */
export function earliest(a: number, b: number): number {
  if (a === 0) return b
  return b === 0 ? a : Math.min(a, b)
}
