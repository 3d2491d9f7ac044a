import type { LedgerCommand, LedgerReplyTo } from '../ledger/commands.js'

/** Everything a store is asked: about one account, or about what no account owns. */
export type Command = LedgerCommand | SharedCommand
export type SharedCommand = Register | Locate | Count | ReadCounts | Lease | JournalCommand
/** What it takes to send every account's entries on to a sink; see journal/exporter.ts. */
export type JournalCommand = ExportJournal | ReadWaiting | ReadAccounts

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

/**
 * One of all owners can have a lease. Asked for again by the one who has it, it lasts `ttlMs` from now, which may be less;
 * 0 gives it back.
 */
export interface Lease {
  readonly kind: 'lease'
  readonly name: string
  readonly owner: string
  readonly ttlMs: number
}

/**
 * From now on this store marks the account of each new entry as waiting for the sink, and so does every store on the
 * same data that is opened later. One that was open before marks nothing: its entries are found by asking each account.
 */
export interface ExportJournal {
  readonly kind: 'export_journal'
}

/** Of the accounts that wait for the sink at most `limit`: those that have waited longest, first. */
export interface ReadWaiting {
  readonly kind: 'waiting'
  readonly limit: number
}

/** All accounts, a page at a time: `''` for the first, then the `next` of the page before. One that is there all the time comes at least once. */
export interface ReadAccounts {
  readonly kind: 'accounts'
  readonly page: string
}

/** Counters by name, whole numbers. Adding two of them counter by counter is how they merge. */
export type Counts = Readonly<Record<string, number>>

/** Commands and replies of what no account owns. */
interface SharedReplies {
  readonly register: { readonly kind: 'registered' } | { readonly kind: 'taken' }
  readonly locate: { readonly kind: 'located'; readonly place: string } | { readonly kind: 'not_located' }
  readonly count: { readonly kind: 'counted' }
  readonly counts: { readonly kind: 'counts'; readonly counts: Counts }
  readonly lease: { readonly kind: 'leased' } | { readonly kind: 'not_leased' }
  readonly export_journal: { readonly kind: 'journal_exported' }
  readonly waiting: { readonly kind: 'waiting'; readonly accounts: readonly string[] }
  /** `next` is `''` when that was all. */
  readonly accounts: { readonly kind: 'accounts'; readonly accounts: readonly string[]; readonly next: string }
}

export type SharedReplyTo<C extends SharedCommand> = SharedReplies[C['kind']]
export type ReplyTo<C extends Command> = C extends LedgerCommand ? LedgerReplyTo<C> : C extends SharedCommand ? SharedReplyTo<C> : never

/** Whether a command is about one account. */
export function isLedgerCommand(command: Command): command is LedgerCommand {
  return 'account' in command
}
