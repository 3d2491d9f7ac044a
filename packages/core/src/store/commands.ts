import type { LedgerCommand, LedgerReplyTo } from '../ledger/commands.js'

/** Everything a store is asked: about one account, or about what no account owns. */
export type Command = LedgerCommand | SharedCommand
export type SharedCommand = Register | Locate | Count | ReadCounts

/**
 * Remembers for `keptMs` from now where an operation is kept, so that a worker who knows its id finds its account.
 * The same place again keeps it longer, never shorter.
 */
export interface Register {
  readonly kind: 'register'
  readonly operation: string
  readonly place: string
  readonly keptMs: number
}

export interface Locate {
  readonly kind: 'locate'
  readonly operation: string
}

/** Adds to counters under a name; those of an earlier week are kept beside them for as long again. */
export interface Count {
  readonly kind: 'count'
  readonly name: string
  readonly counts: Counts
}

/** The sum of this week's counters (UTC, from Thursday 00:00 as the epoch's first) and last week's. */
export interface ReadCounts {
  readonly kind: 'counts'
  readonly name: string
}

/** Counters by name, whole numbers. Adding two of them counter by counter is how they merge. */
export type Counts = Readonly<Record<string, number>>

/** Commands and replies of what no account owns. */
interface SharedReplies {
  readonly register: { readonly kind: 'registered' } | { readonly kind: 'taken' }
  readonly locate: { readonly kind: 'located'; readonly place: string } | { readonly kind: 'not_located' }
  readonly count: { readonly kind: 'counted' }
  readonly counts: { readonly kind: 'counts'; readonly counts: Counts }
}

export type SharedReplyTo<C extends SharedCommand> = SharedReplies[C['kind']]
export type ReplyTo<C extends Command> = C extends LedgerCommand ? LedgerReplyTo<C> : C extends SharedCommand ? SharedReplyTo<C> : never

/** Whether a command is about one account. */
export function isLedgerCommand(command: Command): command is LedgerCommand {
  return 'account' in command
}
