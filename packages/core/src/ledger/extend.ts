import type { Extend, Replies } from './commands.js'
import { standing } from './standing.js'
import type { AccountState } from './state.js'
import { isOver } from './sweep.js'

export function extend(state: AccountState, command: Extend, now: number): [AccountState, Replies['extend']] {
  const known = state.reservations.get(command.reservation)
  if (known?.kind !== 'open' || isOver(known, now)) return [state, { kind: 'gone', ...standing(state) }]
  // `sweepAt` stays: it may only be too early, and moving it would need a look at every reservation.
  const expiresAt = Math.max(known.expiresAt, now + command.ttlMs)
  const after = { ...state, reservations: state.reservations.set(command.reservation, { ...known, expiresAt }) }
  return [after, { kind: 'extended', expiresAt, ...standing(after) }]
}
