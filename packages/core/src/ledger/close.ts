import { count, windowsOf } from './budgets.js'
import { earliest } from './calendar.js'
import type { Closed, Release, Replies, Settle } from './commands.js'
import { post } from './journal.js'
import { free, keep } from './keyed-call.js'
import { CLOSED_KEPT_MS } from './limits.js'
import { change, expire, firstOf, heldShares, ofLots, sharesOf } from './lots.js'
import { isOver, unhold } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState, ClosedReservation, Share } from './state.js'
import { countUsage } from './usage.js'

/**
 * Ends a reservation with its charge. A reservation that has expired is charged late: from what is available
 * now, the rest recorded as a shortfall.
 */
export function settle(state: AccountState, command: Settle, now: number): [AccountState, Replies['settle']] {
  const known = current(state, command.reservation, now)
  if (known && known.kind !== 'open') return [state, closedReply(state, known)]
  if (!known && now - command.firstSentAt >= CLOSED_KEPT_MS) return [state, { kind: 'unknown', now, ...standing(state) }]

  const ceiling = known?.ceiling ?? command.ceiling
  const owed = Math.min(command.charge, ceiling)
  const charge = known ? owed : Math.min(owed, standing(state).available)
  const spent = known ? firstOf(heldShares(state, known), charge) : sharesOf(state, charge)
  const freed = known ? unhold(state, known, charge) : count(state, windowsOf(state, command.budgets, now), 0, charge)
  const taken = take(freed, command, spent, owed - charge, now)
  const used = countUsage(expire(taken, now, now), command.product, charge, now)
  const shortfall = owed - charge
  const { key, reservation, payload, response } = command
  const kept = keep(used, key, { reservation, payload, finished: true, ceiling, charge, response }, now)
  return close(kept, command.reservation, { kind: 'settled', ceiling, charge, shortfall, late: !known, closedAt: now })
}

/** Takes what was spent, with an entry that says from which lots. */
function take(state: AccountState, { reservation, product, details = '' }: Settle, spent: readonly Share[], shortfall: number, now: number): AccountState {
  const charge = spent.reduce((sum, { amount }) => sum + amount, 0)
  if (charge + shortfall === 0) return state
  const lots = ofLots(spent).map(({ grant, amount }) => {
    const { priority, expiresAt, source } = state.lots.find((lot) => lot.grant === grant)!
    return { grant, amount, priority, expiresAt, source }
  })
  // `0 - charge`, because `-charge` makes −0 of 0.
  return post(change(state, 'left', spent, -1), { at: now, kind: 'charge', amount: 0 - charge, reference: reservation, label: product, shortfall, lots, details })
}

/** Ends a reservation at zero. */
export function release(state: AccountState, command: Release, now: number): [AccountState, Replies['release']] {
  const known = current(state, command.reservation, now)
  if (known && known.kind !== 'open') return [state, closedReply(state, known)]
  const freed = known ? expire(unhold(state, known, 0), now, now) : state
  const ceiling = known?.ceiling ?? 0
  return close(free(freed, command.key, command.reservation, now), command.reservation, { kind: 'released', ceiling, charge: 0, shortfall: 0, late: false, closedAt: now })
}

function current(state: AccountState, id: string, now: number) {
  const known = state.reservations.get(id)
  return known && !isOver(known, now) ? known : undefined
}

function close(state: AccountState, id: string, closed: ClosedReservation): [AccountState, Closed] {
  const after = {
    ...state,
    sweepAt: earliest(state.sweepAt, closed.closedAt + CLOSED_KEPT_MS),
    reservations: state.reservations.set(id, closed),
  }
  return [after, closedReply(after, closed)]
}

function closedReply(state: AccountState, { kind, ceiling, charge, shortfall, late }: ClosedReservation): Closed {
  return { kind, ceiling, charge, shortfall, late, ...standing(state) }
}
