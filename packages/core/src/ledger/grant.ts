import type { Grant, Replies } from './commands.js'
import { post } from './journal.js'
import { MAX_AMOUNT } from './limits.js'
import { standing } from './standing.js'
import type { AccountState } from './state.js'

export function grant(state: AccountState, command: Grant, now: number): [AccountState, Replies['grant']] {
  const known = state.grants.get(command.grant)
  if (known === command.amount) return [state, { kind: 'granted', amount: known, replayed: true, ...standing(state) }]
  if (known !== undefined) return [state, { kind: 'grant_conflict', amount: known, ...standing(state) }]
  if (state.balance + command.amount > MAX_AMOUNT) return [state, { kind: 'grant_overflow', ...standing(state) }]

  const posted = post(state, {
    at: now, kind: 'grant', amount: command.amount, reference: command.grant, label: command.reason, shortfall: 0,
  })
  const after = { ...posted, grants: posted.grants.set(command.grant, command.amount) }
  return [after, { kind: 'granted', amount: command.amount, replayed: false, ...standing(after) }]
}
