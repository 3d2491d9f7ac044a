import { once } from 'node:events'
import { Agent, request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { billing, memoryStore, type BillingOptions, type HonoBilling, type Store } from '@farebox/hono'
import type { Command } from '@farebox/core'
import { createAdaptorServer } from '@hono/node-server'
import { Hono, type Context, type Env } from 'hono'
import { afterEach } from 'vitest'

type Init = NonNullable<ConstructorParameters<typeof Hono>[0]>
type Headers = Readonly<Record<string, string>>

interface Sent {
  readonly headers?: Headers
  readonly body?: string | readonly string[]
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** A memory store that tells what was asked of it, and when calls end. */
class WatchedStore implements Store {
  readonly #inner = memoryStore()
  readonly name = 'memory'
  readonly durable = false
  readonly #commands: Command[] = []
  #waiting: (() => void)[] = []

  send: Store['send'] = async (command) => {
    const reply = await this.#inner.send(command)
    this.#commands.push(command)
    for (const look of this.#waiting.splice(0)) look()
    return reply
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  get kinds(): readonly string[] {
    return this.#commands.map(({ kind }) => kind)
  }

  count(...kinds: string[]): number {
    return this.kinds.filter((kind) => kinds.includes(kind)).length
  }

  /** The reservations that were settled or released, as often as they were. */
  get endings(): readonly string[] {
    return this.#commands.flatMap((command) => (command.kind === 'settle' || command.kind === 'release' ? [command.reservation] : []))
  }

  /** Resolves when so many reservations were settled or released. */
  ended(calls: number): Promise<void> {
    return this.sent(calls, 'settle', 'release')
  }

  /** Resolves when so many commands of these kinds were answered. */
  async sent(commands: number, ...kinds: string[]): Promise<void> {
    while (this.count(...kinds) < commands) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** What an account was charged, in order, in credits. Throws when something is still reserved. */
  async charges(account = 'ada'): Promise<number[]> {
    const { reserved } = await this.#inner.send({ kind: 'balance', account })
    if (reserved !== 0) throw new Error(`${reserved} micro-credits of ${account} are still reserved`)
    const { entries } = await this.#inner.send({ kind: 'entries', account, after: '', limit: 10_000 })
    return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
  }
}

/** A Hono app with billing; accounts are named by `x-account`, each with an allowance of 1,000 credits. */
export class Rig<E extends Env = Env> {
  readonly store = new WatchedStore()
  readonly warnings: string[] = []
  readonly errors: string[] = []
  /** What ran, by whatever name a handler gives itself. */
  readonly ran: string[] = []
  readonly app: Hono<E>
  readonly bill: HonoBilling<E>
  readonly #agent = new Agent({ keepAlive: true })
  #server: ReturnType<typeof createAdaptorServer> | undefined

  constructor(options: Partial<BillingOptions<Context<E>>>, init: Init = {}) {
    this.app = new Hono<E>(init as never)
    this.bill = this.billing(options)
  }

  /** Another billing on the same store. */
  billing(options: Partial<BillingOptions<Context<E>>>): HonoBilling<E> {
    return billing({
      account: (c: Context<E>) => c.req.header('x-account'), allowance: 1_000, store: this.store as Store,
      logger: { warn: (message) => void this.warnings.push(message), error: (message) => void this.errors.push(message) },
      ...options,
    })
  }

  /** In this process, without a server. */
  async request(method: string, path: string, { headers = {}, body }: { headers?: Headers, body?: BodyInit } = {}): Promise<Response> {
    return this.app.request(path, { method, headers: { 'x-account': 'ada', ...headers }, ...(body !== undefined && { body }) })
  }

  post(path: string, json: unknown = {}, headers: Headers = {}): Promise<Response> {
    return this.request('POST', path, { headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(json) })
  }

  /** Over HTTP, with the target as it is written: nothing is normalized. */
  async open(method: string, target: string, sent?: Sent) {
    const req = await this.send(method, target, sent)
    const [res] = await once(req, 'response') as [IncomingMessage]
    return { req, res }
  }

  /** The same, for one that may never be answered. */
  async send(method: string, target: string, { headers = {}, body }: Sent = {}): Promise<ClientRequest> {
    this.#server ??= createAdaptorServer({ fetch: this.app.fetch as never }).listen(0, '127.0.0.1') as ReturnType<typeof createAdaptorServer>
    if (!this.#server.listening) await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    const length = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}
    const req = request({ port, host: '127.0.0.1', method, path: target, agent: this.#agent, headers: { 'x-account': 'ada', ...length, ...headers } })
    req.on('error', () => {})
    for (const part of typeof body === 'string' ? [body] : body ?? []) req.write(part)
    return req.end()
  }

  async call(method: string, target: string, sent?: Sent): Promise<Reply> {
    const { res } = await this.open(method, target, sent)
    return { status: res.statusCode!, headers: res.headers, text: await text(res) }
  }

  charges(account?: string): Promise<number[]> {
    return this.store.charges(account)
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    this.#server?.close()
    if (this.#server && 'closeAllConnections' in this.#server) this.#server.closeAllConnections()
    await this.bill.close()
  }
}

const open: Rig<never>[] = []
afterEach(async () => {
  for (const rig of open.splice(0)) await rig.stop()
})

/** A rig that is stopped after the test. */
export function rigged<E extends Env = Env>(options: Partial<BillingOptions<Context<E>>> = {}, init?: Init): Rig<E> {
  const rig = new Rig<E>(options, init)
  open.push(rig as unknown as Rig<never>)
  return rig
}

/** What a response says of its cost. */
export function creditsOf(headers: globalThis.Headers | IncomingHttpHeaders): Record<string, string> {
  const all = headers instanceof globalThis.Headers ? [...headers] : Object.entries(headers)
  return Object.fromEntries(all.filter(([name]) => name.startsWith('credits-'))) as Record<string, string>
}
