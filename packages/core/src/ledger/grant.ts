import { earliest } from './calendar.js'
import type { Grant, Replies } from './commands.js'
import { rearm } from './alerts.js'
import { post } from './journal.js'
import { MAX_AMOUNT } from './limits.js'
import { addLot, DEFAULT_PRIORITY, expire } from './lots.js'
import { standing } from './standing.js'
import type { AccountState, SpentShare } from './state.js'

/** The ids under which a recurring allowance comes: lots are told apart by them. */
const OF_ALLOWANCE = /^(allowance|rollover):\d{4}-\d\d-\d\d$/

/** A grant of nothing only takes its id. */
export function grant(state: AccountState, command: Grant, now: number): [AccountState, Replies['grant']] {
  const known = state.grants.get(command.grant)
  if (known === command.amount) return [state, { kind: 'granted', amount: known, replayed: true, ...standing(state) }]
  if (known !== undefined || OF_ALLOWANCE.test(command.grant)) return [state, { kind: 'grant_conflict', amount: known ?? 0, ...standing(state) }]
  if (state.balance + command.amount > MAX_AMOUNT) return [state, { kind: 'grant_overflow', ...standing(state) }]

  const { grant, amount, priority, expiresAt, source } = command
  const added = amount === 0 ? state : add(state, { grant, amount, priority, expiresAt, source }, command.reason, now)
  const after = { ...added, grants: added.grants.set(grant, amount) }
  return [after, { kind: 'granted', amount: command.amount, replayed: false, ...standing(after) }]
}

/** Credits come in, with an entry that says of which kind they are. */
export function add(state: AccountState, share: SpentShare, reason: string, now: number): AccountState {
  const posted = post(state, { at: now, kind: 'grant', amount: share.amount, reference: share.grant, label: reason, shortfall: 0, lots: [share], details: '' })
  return rearm(keepApart(posted, share, now))
}

/** A grant that ends, or is used out of turn, is a lot of its own. One that has ended already is gone at once. */
export function keepApart(state: AccountState, { grant, amount, priority, expiresAt, source }: SpentShare, now: number): AccountState {
  if (priority === DEFAULT_PRIORITY && expiresAt === 0) return state
  const lots = addLot(state.lots, { grant, left: amount, held: 0, priority, expiresAt, source })
  return expire({ ...state, lots, sweepAt: earliest(state.sweepAt, expiresAt) }, now, now)
}
