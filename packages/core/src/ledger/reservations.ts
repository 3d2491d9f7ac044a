import { giveBack } from './budgets.js'
import { CLOSED_KEPT_MS } from './limits.js'
import { change } from './lots.js'
import type { AccountState, OpenReservation, Reservation } from './state.js'

/** Forgets what no longer counts: reservations that have expired give back what they hold. */
export function letGo(state: AccountState, now: number): AccountState {
  return state.reservations.entries().filter(([, reservation]) => isOver(reservation, now)).reduce((before, [id, reservation]) => {
    const freed = reservation.kind === 'open' ? unhold(before, reservation, 0) : before
    return { ...freed, reservations: freed.reservations.delete(id) }
  }, state)
}

/** Gives back what a reservation holds; its budgets keep what it was charged. */
export function unhold(state: AccountState, { ceiling, shares, budgets }: OpenReservation, charge: number): AccountState {
  const freed = change(state, 'held', shares, -1)
  return { ...giveBack(freed, budgets, ceiling, charge), reserved: state.reserved - ceiling }
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
