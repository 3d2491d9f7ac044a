import { provision } from './allowance.js'
import { count, overBudget, windowsOf } from './budgets.js'
import { earliest } from './calendar.js'
import type { Replies, Reserve } from './commands.js'
import { earlierCall, keep } from './keyed-call.js'
import { change, ofLots, sharesOf } from './lots.js'
import { isOver } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState } from './state.js'

export function reserve(before: AccountState, command: Reserve, now: number): [AccountState, Replies['reserve']] {
  const known = before.reservations.get(command.reservation)
  if (known && !isOver(known, now)) {
    if (known.kind !== 'open' || known.ceiling !== command.ceiling) return [before, { kind: 'conflict', ...standing(before) }]
    const { reservedAt, expiresAt } = known
    return [before, { kind: 'reserved', reservedAt, expiresAt, ...standing(before) }]
  }
  const earlier = earlierCall(before, command, now)
  if (earlier) return [before, earlier]
  const state = provision(before, command, now)
  const { available } = standing(state)
  if (available < command.ceiling) {
    return [state, { kind: 'insufficient', required: command.ceiling, now, freesAt: freesAt(state, command.ceiling), ...standing(state) }]
  }
  const over = overBudget(state, command, now)
  if (over) return [state, over]
  const expiresAt = now + command.ttlMs
  const shares = ofLots(sharesOf(state, command.ceiling))
  const budgets = windowsOf(state, command.budgets, now)
  const open = { kind: 'open', ceiling: command.ceiling, reservedAt: now, expiresAt, shares, budgets } as const
  const set = count(change(state, 'held', shares, 1), budgets, command.ceiling, 0)
  const held = {
    ...set,
    reserved: state.reserved + command.ceiling,
    sweepAt: earliest(set.sweepAt, expiresAt),
    reservations: state.reservations.set(command.reservation, open),
  }
  const { reservation, ceiling, key, payload } = command
  const after = keep(held, key, { reservation, payload, finished: false, ceiling, charge: 0, response: '' }, now)
  return [after, { kind: 'reserved', reservedAt: now, expiresAt, ...standing(after) }]
}

/** When enough reservations will have expired for `required` to be available; 0 when all of them are not enough. */
function freesAt({ balance, reserved, reservations }: AccountState, required: number): number {
  if (required > balance) return 0
  const open = reservations.entries().flatMap(([, reservation]) => (reservation.kind === 'open' ? [reservation] : []))
  let available = balance - reserved
  for (const { ceiling, expiresAt } of open.sort((a, b) => a.expiresAt - b.expiresAt)) {
    available += ceiling
    if (available >= required) return expiresAt
  }
  return 0
}
