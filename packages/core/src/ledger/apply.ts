import { watch } from './alerts.js'
import { readBalance } from './budgets.js'
import { release, settle } from './close.js'
import type { EntriesRead, LedgerCommand, LedgerReply, LedgerReplyTo, ReadEntries } from './commands.js'
import { exported } from './exported.js'
import { extend } from './extend.js'
import { grant } from './grant.js'
import { finish, hold, progress, readOperation } from './operation.js'
import { refund } from './refund.js'
import { reserve } from './reserve.js'
import type { AccountState, Journal, LedgerEntry } from './state.js'
import { sweep } from './sweep.js'
import { readUsage } from './usage.js'

/**
 * What every command means: the account after it and the reply to it. Pure, and THE definition of the
 * ledger: a store on any database must agree with it reply by reply and state by state.
 *
 * @param now the store's clock, ms since the epoch
 * @example
 * const [state, reply] = apply(emptyAccount, { kind: 'grant', account: 'a', grant: 'g1', amount: 5, reason: '', source: '', priority: 50, expiresAt: 0 }, 0)
 * // reply.kind === 'granted', state.balance === 5
 */
export function apply<C extends LedgerCommand>(state: AccountState, command: C, now: number): [AccountState, LedgerReplyTo<C>] {
  return dispatch(sweep(state, now), command, now) as [AccountState, LedgerReplyTo<C>]
}

function dispatch(state: AccountState, command: LedgerCommand, now: number): [AccountState, LedgerReply] {
  switch (command.kind) {
    case 'reserve': return reserve(state, command, now)
    case 'settle': return settle(state, command, now)
    case 'release': return release(state, command, now)
    case 'extend': return extend(state, command, now)
    case 'grant': return grant(state, command, now)
    case 'refund': return refund(state, command, now)
    case 'balance': return [state, readBalance(state, command, now)]
    case 'watch': return watch(state, command, now)
    case 'usage': return [state, readUsage(state, now)]
    case 'hold': return hold(state, command, now)
    case 'progress': return progress(state, command, now)
    case 'finish': return finish(state, command, now)
    case 'operation': return [state, readOperation(state, command, now)]
    case 'entries': return [state, readEntries(state.journal, command)]
    case 'exported': return exported(state, command)
  }
}

function readEntries(journal: Journal | null, { after, limit }: ReadEntries): EntriesRead {
  const entries: LedgerEntry[] = []
  const from = Number(after)
  for (let at = journal; at && at.length > from; at = at.previous) entries.unshift(at.entry)
  return { kind: 'entries', entries: entries.slice(0, limit) }
}
