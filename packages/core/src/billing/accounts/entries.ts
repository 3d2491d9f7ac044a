import { toCredits } from '../../credits.js'
import type { LedgerEntry } from '../../ledger/state.js'
import { checkAccount, checkEntry, checkWhole } from './arguments.js'
import { readDetails, type EntryDetails } from '../settlement/entry-details.js'
import { confirmed, type Confirming } from './confirmed.js'

/** One movement of an account's balance. Amounts in credits, `at` in ms since the epoch. */
export interface Entry extends EntryDetails {
  /** Unique within the account and ascending: `after` when reading on from here. */
  readonly id: string
  readonly at: number
  readonly kind: LedgerEntry['kind']
  /** Positive for a grant and a refund, zero or negative for a charge and an expiry. */
  readonly credits: number
  /** The balance after it. */
  readonly balance: number
  /** The reservation of a charge or a refund, the id of a grant or of the one that ended. */
  readonly reference: string
  /** The product of a charge, the reason of a grant or a refund, the source of a grant that ended. */
  readonly label: string
  /** What a late charge could not take any more. */
  readonly shortfall: number
  /** Of a grant: its source. */
  readonly source?: string
  /** Of a grant that ends: when, ms since the epoch. */
  readonly expiresAt?: number
}

export interface EntriesOptions {
  /** The id of the last entry that is known. Default: from the first on. */
  readonly after?: string
  /** At most so many, up to 1,000. Default 100. */
  readonly limit?: number
}

/** A page of the journal, in order. */
export async function entries(settings: Confirming, account: string, { after = '', limit = 100 }: EntriesOptions = {}): Promise<readonly Entry[]> {
  checkAccount(account)
  checkEntry(after)
  checkWhole('limit', limit, 1, 1_000)
  const read = await confirmed(settings, 'entries', { kind: 'entries', account, after, limit })
  return read.entries.map(entryOf)
}

/** A ledger entry as people see it. */
export function entryOf({ id, at, kind, amount, balance, reference, label, shortfall, lots, details }: LedgerEntry): Entry {
  const { source, expiresAt = 0 } = (kind === 'grant' ? lots[0] : undefined) ?? {}
  return {
    id, at, kind, credits: toCredits(amount), balance: toCredits(balance), reference, label, shortfall: toCredits(shortfall),
    ...(source !== undefined && { source }), ...(expiresAt > 0 && { expiresAt }), ...readDetails(details),
  }
}
