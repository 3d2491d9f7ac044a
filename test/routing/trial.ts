import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { memoryStore, type Store } from '@farebox/core'
import type { Framework } from './framework.js'
import { routesOf, type Deed, type Layout } from './layout.js'
import { written, type Draft, type WireRequest } from './requests.js'
import { PriceBook } from './terms.js'
import { sendAll } from './wire.js'

const REQUESTS_A_CONNECTION = 20

/** A server that says nothing for so long will not answer; to what is hardly a request it need not. */
const QUIET_MS = 5_000
const ODD_QUIET_MS = 200

/** Of a host that is none Koa and Express 4 say 500 by themselves, of a user that can't be decoded Koa does. */
const BROKEN_AUTHORITY = /:\/\/(?:\[|[^/]*%[^/]*@)/

/** Prices of layouts never throw: that one does which stands for several. */
const UNDECIDED = /has no valid price: price threw$/

interface Ran {
  readonly method: string
  readonly path: string
  readonly does: Deed
}

/** What a search has come across. */
export class Counts {
  requests = 0
  answered = 0
  /** Requests in which a paid handler ran. */
  paid = 0
  charges = 0
  refused = 0
  free = 0
}

/** A server that the apps of a framework take turns on. */
export class Trial {
  readonly counts = new Counts()
  readonly #server: Server
  #listener: RequestListener = () => {}
  #running = 0
  /** Something was refused because it could not be told which route it is. */
  #undecided = false
  #named = 0

  private constructor(readonly framework: Framework) {
    this.#server = createServer((req, res) => {
      this.#running++
      res.on('close', () => this.#running--)
      this.#listener(req, res)
    })
    this.#server.keepAliveTimeout = 60_000
  }

  static async start(framework: Framework): Promise<Trial> {
    const trial = new Trial(framework)
    trial.#server.listen(0, '127.0.0.1')
    await once(trial.#server, 'listening')
    return trial
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#server.closeAllConnections()
    await once(this.#server, 'close')
  }

  /** Builds the app, sends the requests, and holds what ran against the ledger. @returns what is wrong, in words */
  async run(layout: Layout, sent: readonly Draft[]): Promise<readonly string[]> {
    const book = new PriceBook(layout, this.framework.wildcard)
    const store = memoryStore()
    const ran = new Map<string, Ran[]>()
    const faults: string[] = []
    this.#undecided = false
    this.#listener = this.framework.build(layout, book, {
      ran: (request, method, path, does) => void ran.set(request, [...ran.get(request) ?? [], { method, path, does }]),
    }, (header) => ({
      store, allowance: 1_000,
      account: (request: never) => header(request, 'x-account'),
      maxCeiling: (request: never) => (header(request, 'x-plan') === 'none' ? 0.5 : undefined),
      logger: { warn() {}, error: (message: string) => {
        if (this.framework.forgets && UNDECIDED.test(message)) this.#undecided = true
        else faults.push(`logged: ${message}`)
      } },
    }))
    const routes = routesOf(layout.nodes)
    const requests = sent.map((draft) => ({ draft, wire: written(draft, `r${this.#named++}`, routes) }))
    const statuses = await this.#send(requests.map(({ wire }) => wire))
    await until(() => this.#running === 0)
    for (const { draft, wire } of requests) faults.push(...await this.#check(draft, wire, ran.get(wire.name) ?? [], statuses.get(wire.name), book, store))
    await store.close()
    return faults
  }

  async #send(requests: readonly WireRequest[]): Promise<ReadonlyMap<string, number>> {
    const statuses = new Map<string, number>()
    const together = requests.filter(({ alone }) => !alone)
    const connections = requests.filter(({ alone }) => alone).map((request) => [request])
    for (let i = 0; i < together.length; i += REQUESTS_A_CONNECTION) connections.push(together.slice(i, i + REQUESTS_A_CONNECTION))
    const { port } = this.#server.address() as AddressInfo
    await Promise.all(connections.map(async (group) => {
      const answers = await sendAll(port, pipelined(group), group[0]!.alone ? ODD_QUIET_MS : QUIET_MS)
      for (const [i, status] of answers.entries()) statuses.set(group[i]!.name, status)
    }))
    this.counts.requests += requests.length
    this.counts.answered += statuses.size
    return statuses
  }

  /** A paid handler that ran to success ⇔ one charge of its price; and nobody who can't pay gets to a paid handler. */
  async #check({ payer }: Draft, { name, line, alone }: WireRequest, ran: readonly Ran[], status: number | undefined, book: PriceBook, store: Store): Promise<readonly string[]> {
    const terms = ran.map(({ method, path }) => book.termsOf(method, path))
    const reached = terms.some((of) => typeof of === 'object')
    const last = terms.findLast((of) => of !== undefined)
    const due = typeof last === 'object' && ran.at(-1)?.does === 'answers' ? [last.price] : []
    const charged = await chargesOf(store, name, due.length)
    this.counts.charges += charged.length
    if (reached) this.counts.paid++
    else if (ran.length > 0) this.counts.free++
    if (status === 401 || status === 403) this.counts.refused++
    const faults: string[] = []
    const say = (what: string) => faults.push(`${line} (${payer}) → ${status}: ${what}; ran ${JSON.stringify(ran)}`)
    const alike = this.framework.forgets && ran.length > 0 ? book.likeOf(ran.at(-1)!.method, ran.at(-1)!.path) : []
    if (charged.join() !== due.join() && !(charged.length === 1 && alike.includes(charged[0]!))) say(`charged [${charged.join()}], due [${due.join()}]`)
    if (reached && payer !== 'known') say('a paid handler ran for who can not pay')
    if (status === 500 && !this.#undecided && !BROKEN_AUTHORITY.test(line) && !ran.some(({ does }) => does === 'throws')) say('500 though no handler threw')
    if (status === undefined && !alone) say('no answer')
    if (Number.isNaN(status)) say('the answer is no response')
    if ((await store.send({ kind: 'balance', account: name })).reserved !== 0) say('credits are still reserved')
    return faults
  }
}

/** Requests by what is written at once. */
function pipelined(requests: readonly WireRequest[]): readonly (readonly WireRequest[])[] {
  const written: WireRequest[][] = []
  for (const request of requests) {
    if (request.joins && written.length > 0) written.at(-1)!.push(request)
    else written.push([request])
  }
  return written
}

/** What an account was charged, in credits. Failed calls let go a moment after their response: it looks again where something is off. */
async function chargesOf(store: Store, account: string, due: number): Promise<readonly number[]> {
  const look = async () => {
    const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 100 })
    return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
  }
  let charges = await look()
  await until(async () => {
    charges = await look()
    return charges.length === due && (await store.send({ kind: 'balance', account })).reserved === 0
  })
  return charges
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 2_000; !(await holds()) && Date.now() < end;) await delay(1)
}
