import { count, windowsOf } from './budgets.js'
import { earliest } from './calendar.js'
import type { Closed, Release, Replies, Settle } from './commands.js'
import { post } from './journal.js'
import { free, keep } from './keyed-call.js'
import { CLOSED_KEPT_MS } from './limits.js'
import { change, expire, firstOf, heldShares, nextEnd, ofLots, sharesOf } from './lots.js'
import { isOver, unhold } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState, ClosedReservation, Share } from './state.js'
import { countUsage } from './usage.js'

/**
 * Ends a reservation with its charge. A reservation that has expired is charged late: from what is available
 * now, the rest recorded as a shortfall.
 */
export function settle(state: AccountState, command: Settle, now: number): [AccountState, Replies['settle']] {
  // Not the clock alone: what was forgotten stays so when it is put back.
  const forgotten = Math.max(now, state.sweptAt)
  if (!current(state, command.reservation, now) && command.firstSentAt + CLOSED_KEPT_MS <= forgotten) return [state, { kind: 'unknown', now: forgotten, ...standing(state) }]
  return charge(state, command, now)
}

/** As `settle`, of a reservation that is known not to have been charged and forgotten. */
export function charge(state: AccountState, command: Omit<Settle, 'firstSentAt'>, now: number): [AccountState, Closed] {
  const known = current(state, command.reservation, now)
  if (known && known.kind !== 'open') return [state, closedReply(state, known)]

  const ceiling = known?.ceiling ?? command.ceiling
  const owed = Math.min(command.charge, ceiling)
  const charged = known ? owed : Math.min(owed, standing(state).available)
  const shortfall = owed - charged
  const spent = known ? firstOf(heldShares(state, known), charged) : sharesOf(state, charged)
  const freed = known ? unhold(state, known, charged) : count(state, windowsOf(state, command.budgets, now), 0, charged)
  const taken = take(freed, command, spent, shortfall, now)
  const used = countUsage(expire(taken, now, now), command.product, charged, now)
  const { key, reservation, payload, response } = command
  const kept = keep(used, key, { reservation, payload, finished: true, ceiling, charge: charged, response }, now)
  return close(kept, command.reservation, { kind: 'settled', ceiling, charge: charged, shortfall, late: !known, closedAt: now })
}

/** Takes what was spent, with an entry that says from which lots. */
function take(state: AccountState, { reservation, product, details = '' }: Pick<Settle, 'reservation' | 'product' | 'details'>, spent: readonly Share[], shortfall: number, now: number): AccountState {
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
    // A lot that what was held of has come back to ends again, should the clock have been put back.
    sweepAt: [state.sweepAt, closed.closedAt + CLOSED_KEPT_MS, nextEnd(state.lots, closed.closedAt)].reduce(earliest),
    reservations: state.reservations.set(id, closed),
  }
  return [after, closedReply(after, closed)]
}

function closedReply(state: AccountState, { kind, ceiling, charge, shortfall, late }: ClosedReservation): Closed {
  return { kind, ceiling, charge, shortfall, late, ...standing(state) }
}
