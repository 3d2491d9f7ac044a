import type { Grant, Replies } from './commands.js'
import { post } from './journal.js'
import { MAX_AMOUNT } from './limits.js'
import { addLot, DEFAULT_PRIORITY, expire } from './lots.js'
import { standing } from './standing.js'
import type { AccountState } from './state.js'
import { earliest } from './sweep.js'

export function grant(state: AccountState, command: Grant, now: number): [AccountState, Replies['grant']] {
  const known = state.grants.get(command.grant)
  if (known === command.amount) return [state, { kind: 'granted', amount: known, replayed: true, ...standing(state) }]
  if (known !== undefined) return [state, { kind: 'grant_conflict', amount: known, ...standing(state) }]
  if (state.balance + command.amount > MAX_AMOUNT) return [state, { kind: 'grant_overflow', ...standing(state) }]

  const posted = post(state, {
    at: now, kind: 'grant', amount: command.amount, reference: command.grant, label: command.reason, shortfall: 0, lots: [],
  })
  const after = { ...keepApart(posted, command, now), grants: posted.grants.set(command.grant, command.amount) }
  return [after, { kind: 'granted', amount: command.amount, replayed: false, ...standing(after) }]
}

/** A grant that ends, or is used out of turn, is a lot of its own. One that has ended already is gone at once. */
export function keepApart(state: AccountState, { grant, amount, priority, expiresAt, source }: Pick<Grant, 'grant' | 'amount' | 'priority' | 'expiresAt' | 'source'>, now: number): AccountState {
  if (priority === DEFAULT_PRIORITY && expiresAt === 0) return state
  const lots = addLot(state.lots, { grant, left: amount, held: 0, priority, expiresAt, source })
  return expire({ ...state, lots, sweepAt: earliest(state.sweepAt, expiresAt) }, now, now)
}
