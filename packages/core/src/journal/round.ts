import type { Logger } from '../billing/logger.js'
import type { Ask } from './lease.js'
import { journalEntry, type JournalEntry, type JournalSink } from './sink.js'

/** The most that one round takes in hand: so many accounts, and of each so many entries. */
const MOST_ACCOUNTS = 50
const MOST_AN_ACCOUNT = 200
/** The most entries that a sink is given at once. */
const MOST_A_WRITE = 500

/** One round: of the accounts that have waited longest, what waits goes to the sink. */
export class Round {
  /** Accounts whose data can't be read, as far as that was said. */
  readonly #unreadable = new Set<string>()

  constructor(private readonly ask: Ask, private readonly sink: JournalSink, private readonly logger: Logger) {}

  /** Returns whether there was anything to send on. */
  async run(): Promise<boolean> {
    const { accounts } = await this.ask({ kind: 'waiting', limit: MOST_ACCOUNTS })
    const read = await Promise.allSettled(accounts.map((account) => this.#read(account)))
    const entries = read.flatMap((page) => (page.status === 'fulfilled' ? page.value : []))
    this.#look(accounts, read)
    for (let from = 0; from < entries.length; from += MOST_A_WRITE) await this.#write(entries.slice(from, from + MOST_A_WRITE))
    return entries.length > 0
  }

  async #read(account: string): Promise<readonly JournalEntry[]> {
    const { exported, waiting } = await this.ask({ kind: 'exported', account, upTo: 0 })
    if (waiting === 0) return []
    const { entries } = await this.ask({ kind: 'entries', account, after: String(exported), limit: MOST_AN_ACCOUNT })
    return entries.map((entry) => journalEntry(account, entry))
  }

  /** Only what the sink has confirmed counts. */
  async #write(entries: readonly JournalEntry[]): Promise<void> {
    await this.sink.write(entries)
    const upTo = new Map(entries.map(({ account, id }) => [account, Number(id)]))
    await Promise.all([...upTo].map(([account, upTo]) => this.ask({ kind: 'exported', account, upTo })))
  }

  /** One account that can't be read must not keep the others back. */
  #look(accounts: readonly string[], read: readonly PromiseSettledResult<unknown>[]): void {
    const failed = read.flatMap((page, i) => (page.status === 'rejected' ? [{ account: accounts[i]!, error: page.reason as unknown }] : []))
    const news = failed.find(({ account }) => !this.#unreadable.has(account))
    if (news) this.logger.error(`farebox: ${failed.length} accounts can't be read to be exported, ${JSON.stringify(news.account)} is one; this is tried again`, news.error)
    this.#unreadable.clear()
    for (const { account } of failed) this.#unreadable.add(account)
  }
}
