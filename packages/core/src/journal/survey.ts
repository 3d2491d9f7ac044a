import type { Ask } from './lease.js'

const AGAIN_MS = 3_600_000
const AGAIN_AFTER_FAULTS_MS = 60_000

/**
 * Asks every account how far its entries are, which puts those among the waiting whose entries nobody has marked: entries from
 * before there was a sink, and of processes that run since then.
 */
export class Survey {
  /** Where it goes on; `undefined` while there is none under way. */
  #page: string | undefined = ''
  #faults = false
  #nextAt = 0

  constructor(private readonly ask: Ask) {}

  /** Begins anew, whatever was asked by then. */
  restart(): void {
    this.#page = ''
    this.#faults = false
  }

  /** Asks the next page of accounts, if it is time. Returns whether there are more. */
  async goOn(): Promise<boolean> {
    if (this.#page === undefined && performance.now() >= this.#nextAt) this.restart()
    if (this.#page === undefined) return false
    const { accounts, next } = await this.ask({ kind: 'accounts', page: this.#page })
    const asked = await Promise.allSettled(accounts.map((account) => this.ask({ kind: 'exported', account, upTo: 0 })))
    // One account that can't be read must not keep the others from being asked.
    this.#faults ||= asked.some(({ status }) => status === 'rejected')
    this.#page = next === '' ? undefined : next
    if (this.#page === undefined) this.#nextAt = performance.now() + (this.#faults ? AGAIN_AFTER_FAULTS_MS : AGAIN_MS)
    return this.#page !== undefined
  }
}
