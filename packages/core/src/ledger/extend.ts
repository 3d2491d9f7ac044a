import type { Extend, Replies } from './commands.js'
import { openReservation } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState } from './state.js'

export function extend(state: AccountState, { reservation, ttlMs }: Extend, now: number): [AccountState, Replies['extend']] {
  const open = openReservation(state, reservation, now)
  if (!open) return [state, { kind: 'gone', ...standing(state) }]
  const expiresAt = Math.max(open.expiresAt, now + ttlMs)
  return [prolong(state, reservation, expiresAt, now), { kind: 'extended', expiresAt, ...standing(state) }]
}

/** Moves the deadline of a reservation that is open, never to an earlier time. */
export function prolong(state: AccountState, reservation: string, expiresAt: number, now: number): AccountState {
  const open = openReservation(state, reservation, now)
  if (!open || open.expiresAt >= expiresAt) return state
  // `sweepAt` stays: it may only be too early, and moving it would need a look at every reservation.
  return { ...state, reservations: state.reservations.set(reservation, { ...open, expiresAt }) }
}
