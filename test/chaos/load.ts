import { setTimeout as delay } from 'node:timers/promises'
import { Client, type Reply } from '../e2e/processes-client.js'
import { Book, type Work } from './book.js'

const ACCOUNTS = 12
const CREDIT = 1_000_000

/** Clients that call and top up without a pause until they are told to stop, and write down what they were told. */
export class Load {
  readonly book = new Book()
  readonly #client = new Client()
  readonly #clients: Promise<void>[]
  #stopping = false
  #silent = new Set<string>()

  /**
   * @param anyUrl where an app serves
   * @param clients how many of them
   */
  constructor(private readonly anyUrl: () => string, clients = 16) {
    this.#clients = Array.from({ length: clients }, () => this.#keepCalling())
  }

  /** Resolves when every call has its answer or is lost for good. */
  async stop(): Promise<Book> {
    this.#stopping = true
    await Promise.all(this.#clients)
    this.#client.close()
    return this.book
  }

  /** Resolves when so many more calls were charged. */
  async charges(more: number): Promise<void> {
    for (const goal = this.book.charged.size + more; this.book.charged.size < goal;) await delay(5)
  }

  /** Which of these apps serve nobody in the next so many ms. */
  async silentOf(urls: readonly string[], atMost: number): Promise<readonly string[]> {
    this.#silent = new Set(urls)
    for (const end = Date.now() + atMost; this.#silent.size > 0 && Date.now() < end;) await delay(5)
    return [...this.#silent]
  }

  async #keepCalling(): Promise<void> {
    while (!this.#stopping) {
      const account = `account ${upTo(ACCOUNTS)}`
      this.book.accounts.add(account)
      if (Math.random() < 0.1) await this.#topUp(account)
      else await this.#work(account)
    }
  }

  async #topUp(account: string): Promise<void> {
    const grant = { id: crypto.randomUUID(), account, amount: (1 + upTo(100)) * CREDIT }
    this.book.grants.set(grant.id, grant)
    const reply = await this.#untilAnswered(() => this.#call('POST /grants', account, { id: grant.id, credits: grant.amount / CREDIT }))
    if (reply?.status === 200) this.book.granted.add(grant.id)
  }

  async #work(account: string): Promise<void> {
    const price = 1 + upTo(20)
    const work: Work = { id: crypto.randomUUID(), account, price: price * CREDIT, charge: (1 + upTo(price)) * CREDIT, keyed: Math.random() < 0.3 }
    this.book.works.set(work.id, work)
    const body = { price, charge: work.charge / CREDIT, ms: upTo(20) }
    const send = () => this.#call('POST /work', account, body, { 'x-request-id': work.id, ...(work.keyed && { 'idempotency-key': work.id }) })
    const reply = await (work.keyed ? this.#untilAnswered(send) : send())
    if (reply?.status === 200) this.book.charged.set(work.id, { amount: Math.round(reply.charged! * CREDIT), pending: reply.metering?.pending === true })
  }

  /** Calls that came to nothing are made again, until the load has stopped and they have had time. */
  async #untilAnswered(send: () => Promise<Reply | undefined>): Promise<Reply | undefined> {
    for (let tries = 0; tries < 10; tries += this.#stopping ? 1 : 0) {
      const reply = await send()
      if (reply?.status === 200 || reply?.status === 402) return reply
      await delay(100)
    }
    return undefined
  }

  async #call(...[route, ...rest]: [route: string, account: string, body: unknown, headers?: Readonly<Record<string, string>>]): Promise<Reply | undefined> {
    try {
      const url = this.anyUrl()
      const reply = await this.#client.call(url, route, ...rest)
      this.book.answered(reply.status)
      if (reply.status === 200) this.#silent.delete(url)
      // Nobody asks again at once.
      if (reply.status === 503) await delay(20)
      return reply
    } catch {
      this.book.answered('lost')
      await delay(5)
      return undefined
    }
  }
}

function upTo(limit: number): number {
  return Math.floor(Math.random() * limit)
}
