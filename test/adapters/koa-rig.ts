import { once } from 'node:events'
import { Agent, request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { billing, memoryStore, type BillingOptions, type KoaBilling, type Store } from '@farebox/koa'
import Koa3, { type Context } from 'koa'
import Koa2 from 'koa2'
import { afterEach } from 'vitest'

export const versions = [['koa 3', Koa3], ['koa 2.16', Koa2]] as const

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | readonly string[]
}

/** Options of billing that a test chooses. */
export type Options = Partial<BillingOptions<Context, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>>>

/** A memory store that tells when calls end. */
class WatchedStore {
  readonly #inner = memoryStore()
  readonly name = 'memory'
  readonly durable = false
  readonly sent: string[] = []
  #waiting: { count: number; resolve: () => void }[] = []

  send: Store['send'] = async (command) => {
    const reply = await this.#inner.send(command)
    this.sent.push(command.kind)
    this.#waiting = this.#waiting.filter(({ count, resolve }) => count > this.ends || resolve())
    return reply
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  /** How many reservations were settled or released. */
  get ends(): number {
    return this.sent.filter((kind) => kind === 'settle' || kind === 'release').length
  }

  ended(count: number): Promise<void> {
    return this.ends >= count ? Promise.resolve() : new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }
}

/** A served Koa app with billing; accounts are named by `x-account`, each with an allowance of 100,000 credits. */
export class Rig {
  readonly store = new WatchedStore()
  readonly warnings: string[] = []
  readonly errors: string[] = []
  /** What ran, by whatever name a handler gives itself. */
  readonly ran: string[] = []
  readonly thrown: unknown[] = []
  readonly bill: KoaBilling
  readonly #agent = new Agent({ keepAlive: true })
  #lastEntry = ''
  #server: ReturnType<Koa3['listen']> | undefined

  constructor(readonly app: Koa3, options: Options) {
    app.silent = true
    app.on('error', (error) => this.thrown.push(error))
    this.bill = billing({
      account: (ctx) => ctx.get('x-account'), allowance: 100_000, store: this.store as Store,
      logger: { warn: (message) => void this.warnings.push(message), error: (message) => void this.errors.push(message) },
      ...options,
    })
  }

  get server(): ReturnType<Koa3['listen']> {
    return (this.#server ??= this.app.listen(0, '127.0.0.1'))
  }

  /** Sends a request with its target as it is written: nothing is normalized. */
  async open(method: string, target: string, { headers = {}, body }: Sent = {}) {
    if (!this.server.listening) await once(this.server, 'listening')
    const { port } = this.server.address() as AddressInfo
    const parts = typeof body === 'string' ? [body] : body ?? []
    const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const req = request({ port, host: '127.0.0.1', method, path: target, agent: this.#agent, headers: { 'x-account': 'ada', ...length, ...headers } })
    req.on('error', () => {})
    for (const part of parts) req.write(part)
    req.end()
    const [res] = await once(req, 'response') as [IncomingMessage]
    return { req, res }
  }

  async call(method: string, target: string, sent?: Sent): Promise<Reply> {
    const { res } = await this.open(method, target, sent)
    return { status: res.statusCode!, headers: res.headers, text: await text(res) }
  }

  post(target: string, json: unknown = {}, headers: Sent['headers'] = {}): Promise<Reply> {
    return this.call('POST', target, { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) })
  }

  /** What `ada` was charged since this was asked last, in order, in credits. Fails when something is still reserved. */
  async charges(): Promise<number[]> {
    const { reserved } = await this.store.send({ kind: 'balance', account: 'ada' })
    if (reserved !== 0) throw new Error(`${reserved} micro-credits are still reserved`)
    const { entries } = await this.store.send({ kind: 'entries', account: 'ada', after: this.#lastEntry, limit: 1_000 })
    this.#lastEntry = entries.at(-1)?.id ?? this.#lastEntry
    return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    this.server.close()
    this.server.closeAllConnections()
    await this.bill.close()
  }
}

/** Rigs that are stopped after each test. */
export function rigs(Koa: typeof Koa3) {
  const open: Rig[] = []
  afterEach(async () => {
    for (const rig of open.splice(0)) await rig.stop()
  })
  return (options: Options = {}): Rig => {
    const rig = new Rig(new Koa(), options)
    open.push(rig)
    return rig
  }
}
