import { entryOf, type Entry } from '../billing/accounts/entries.js'
import type { LedgerEntry } from '../ledger/state.js'

/** A ledger entry as a sink gets it. */
export interface JournalEntry extends Entry {
  readonly account: string
  /** `<account, percent-encoded>/<id>`: the same entry has the same one each time it comes. Deduplicate by it. */
  readonly uid: string
}

/**
 * Where ledger entries go. An entry comes again until the `write` it came with has resolved, and then sometimes once more; among
 * those of one account it never comes for the first time before an older one.
 *
 * @example
 * const sink: JournalSink = { write: (entries) => warehouse.insert('ledger', entries, { ignoreDuplicates: 'uid' }) }
 */
export interface JournalSink {
  /**
   * Resolves once all of these are safely there. Rejects where they are not, then they come again, all of them. It has to do one of
   * the two, in bounded time: it is not called again before.
   */
  write(entries: readonly JournalEntry[]): Promise<void>
}

export function journalEntry(account: string, entry: LedgerEntry): JournalEntry {
  return { ...entryOf(entry), account, uid: `${encodeURIComponent(account)}/${entry.id}` }
}
