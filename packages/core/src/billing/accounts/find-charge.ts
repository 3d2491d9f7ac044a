import type { EntriesRead, ReadEntries } from '../../ledger/commands.js'
import type { LedgerEntry } from '../../ledger/state.js'

const PAGE = 1_000

/** The ledger entry of a reservation's charge, if it has one. It is looked for through all of the account's entries. */
export async function findCharge(read: (command: ReadEntries) => Promise<EntriesRead>, account: string, reservation: string): Promise<LedgerEntry | undefined> {
  for (let after = ''; ;) {
    const { entries } = await read({ kind: 'entries', account, after, limit: PAGE })
    const found = entries.find((entry) => entry.kind === 'charge' && entry.reference === reservation)
    const last = entries.at(-1)
    if (found || !last || entries.length < PAGE) return found
    after = last.id
  }
}
