import { once } from 'node:events'
import { Agent, createServer, request, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { billing, memoryStore, type BillingOptions, type ExpressBilling, type Store } from '@farebox/express'
import express5 from 'express'
import express4 from 'express4'
import express51 from 'express51'
import { afterEach, vi } from 'vitest'

export type ExpressVersion = typeof express5

export const versions = [
  ['Express 5', express5],
  ['Express 5.1', express51 as unknown as ExpressVersion],
  ['Express 4', express4 as unknown as ExpressVersion],
] as const

export interface Reply {
  readonly status: number
  readonly message: string
  readonly headers: IncomingHttpHeaders
  readonly trailers: Readonly<Record<string, string | undefined>>
  /** Statuses of the 1xx responses before it. */
  readonly interim: readonly number[]
  readonly bytes: Buffer
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON; an array is sent in so many chunks. */
  readonly body?: string | readonly string[] | object
}

/** A memory store whose reservations and settles wait, where a test says so: what happens meanwhile is what is looked at. */
class SlowStore implements Store {
  readonly name = 'memory'
  readonly durable = false
  readonly ends: string[] = []
  /** How each reservation has ended; more than one end is one too many. */
  readonly ended = new Map<string, string[]>()
  readonly reserved = new Set<string>()
  /** Reservations that have been asked for. */
  reserving = 0
  readonly #inner = memoryStore()
  #toEnd: Promise<void> | undefined
  #toReserve: Promise<void> | undefined

  /** Settles and releases wait from now on until the returned function is called. */
  stop(): () => void {
    const { opened, open } = gate()
    this.#toEnd = opened
    return open
  }

  stopReserving(): () => void {
    const { opened, open } = gate()
    this.#toReserve = opened
    return open
  }

  readonly send: Store['send'] = async (command) => {
    if (command.kind === 'reserve') {
      this.reserving++
      await this.#toReserve
      this.reserved.add(command.reservation)
    }
    if (command.kind === 'settle' || command.kind === 'release') {
      await this.#toEnd
      this.ends.push(command.kind)
      this.ended.set(command.reservation, [...this.ended.get(command.reservation) ?? [], command.kind])
    }
    return this.#inner.send(command)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** A served Express app with billing. Each account has 1,000 credits; calls are `ada`'s unless `x-account` names another. */
export class Rig {
  readonly app: express5.Express
  readonly store = new SlowStore()
  readonly bill: ExpressBilling
  readonly warnings: string[] = []
  readonly errors: string[] = []
  /** What ran, by whatever name a handler gives itself. */
  readonly ran: string[] = []
  /** What the server was given to answer with, in order. */
  readonly responses: ServerResponse[] = []
  readonly #agent = new Agent({ keepAlive: true })
  #server: Server | undefined

  constructor(readonly express: ExpressVersion, options: Partial<BillingOptions<express5.Request>> = {}) {
    this.app = express()
    this.app.set('env', 'test')
    this.bill = this.billing(options)
  }

  /** Another billing on the same store. */
  billing(options: Partial<BillingOptions<express5.Request>> = {}): ExpressBilling {
    return billing<unknown, unknown>({
      account: (req) => req.get('x-account') ?? 'ada', store: this.store, allowance: 1000,
      logger: { warn: (message) => this.warnings.push(message), error: (message) => this.errors.push(message) },
      ...options,
    })
  }

  /** A handler that notes its name and answers with it. */
  handler(name: string): express5.RequestHandler {
    return (_req, res) => {
      this.ran.push(name)
      res.setHeader('x-ran', name)
      res.json({ name })
    }
  }

  async port(): Promise<number> {
    this.#server ??= createServer((req, res) => {
      this.responses.push(res)
      this.app(req, res)
    }).listen(0, '127.0.0.1')
    if (!this.#server.listening) await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Sends a request as it is written and reads the whole response. */
  async call(route: string, sent: Sent = {}): Promise<Reply> {
    const { response, interim } = await this.open(route, sent)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    return {
      status: response.statusCode!, message: response.statusMessage!, headers: response.headers, trailers: response.trailers, interim, bytes,
      text: bytes.toString(),
      get json() {
        return JSON.parse(bytes.toString()) as Reply['json']
      },
    }
  }

  /** Sends a request; the body of its response is still to be read. */
  async open(route: string, { headers = {}, body }: Sent = {}): Promise<{ response: IncomingMessage; interim: number[] }> {
    const space = route.indexOf(' ')
    const chunks = body === undefined ? [] : typeof body === 'string' ? [body] : Array.isArray(body) ? body as string[] : [JSON.stringify(body)]
    const isJson = typeof body === 'object' && !('content-type' in headers)
    const length = Array.isArray(body) || body === undefined ? {} : { 'content-length': Buffer.byteLength(chunks[0]!) }
    const interim: number[] = []
    const sending = request({
      port: await this.port(), host: '127.0.0.1', method: route.slice(0, space), path: route.slice(space + 1), agent: this.#agent,
      headers: { ...(isJson && { 'content-type': 'application/json' }), ...length, ...headers },
    })
    sending.on('information', ({ statusCode }) => interim.push(statusCode))
    for (const chunk of chunks) sending.write(chunk)
    sending.end()
    const [response] = await once(sending, 'response') as [IncomingMessage]
    return { response, interim }
  }

  /** Sends bytes as they are and leaves the connection open. */
  async raw(bytes: string): Promise<Socket> {
    const socket = connect(await this.port(), '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write(bytes)
    return socket
  }

  /** What was charged, in credits and in order. */
  async charges(account = 'ada'): Promise<readonly number[]> {
    const { entries } = await this.store.send({ kind: 'entries', account, after: '', limit: 1000 })
    return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
  }

  async reserved(account = 'ada'): Promise<number> {
    const { reserved } = await this.store.send({ kind: 'balance', account })
    return reserved / 1e6
  }

  /** Waits until so many calls have ended. */
  ended(count: number): Promise<void> {
    return vi.waitFor(() => {
      if (this.store.ends.length < count) throw new Error(`${this.store.ends.length} of ${count} calls have ended`)
    }, { interval: 2 })
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    if (!this.#server) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** Makes rigs that are closed after each test. */
export function rigs(express: ExpressVersion): (options?: Partial<BillingOptions<express5.Request>>) => Rig {
  const open: Rig[] = []
  afterEach(async () => {
    await Promise.all(open.splice(0).map((rig) => rig.close()))
  })
  return (options) => {
    const rig = new Rig(express, options)
    open.push(rig)
    return rig
  }
}

/** Prices that tell the routes apart: 1, 2, 3 credits and so on. */
export function priced(...keys: string[]): BillingOptions<express5.Request>['prices'] & object {
  return Object.fromEntries(keys.map((key, i) => [key, { product: 'p', price: i + 1 }]))
}
