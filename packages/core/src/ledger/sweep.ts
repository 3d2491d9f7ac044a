import { CLOSED_KEPT_MS } from './limits.js'
import type { PersistentMap } from './persistent-map.js'
import type { AccountState, OpenReservation, Reservation } from './state.js'

/**
 * Lets expired reservations go and forgets those closed long ago. Every command begins with it, so nobody
 * ever sees credits held by a dead process. It costs a look at one number until `sweepAt`.
 */
export function sweep(state: AccountState, now: number): AccountState {
  if (state.sweepAt === 0 || now < state.sweepAt) return state
  let { reserved, reservations } = state
  let nextExpiry = 0
  for (const [id, reservation] of reservations.entries()) {
    if (isOver(reservation, now)) {
      if (reservation.kind === 'open') reserved -= reservation.ceiling
      reservations = reservations.delete(id)
    } else if (reservation.kind === 'open') nextExpiry = earliest(nextExpiry, reservation.expiresAt)
  }
  const sweepAt = reservations.size === 0 ? 0 : earliest(nextExpiry, now + CLOSED_KEPT_MS)
  return { ...state, reserved, reservations, sweepAt, calls: dropForgotten(state.calls, now), operations: dropForgotten(state.operations, now) }
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
