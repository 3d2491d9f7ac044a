import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { memoryStore, type Billing, type RouteReport, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { inject } from 'vitest'

/** Where the examples' tests keep balances, by name. */
export const stores: readonly (readonly [string, () => Store])[] = [
  ['memory', () => memoryStore()],
  ['Redis', () => redisStore(inject('redisUrl'), { prefix: randomUUID() })],
]

/** An example as its `createApp` makes it, behind a server that does not listen yet. */
interface Example {
  readonly server: Server
  readonly bill: Billing
  readonly report: RouteReport
}

/** Makes an example that keeps its balances in `store`. */
export type Make = (options: { readonly store: Store; readonly allowance: number }) => Example

/** An example that listens. */
export interface Running {
  readonly url: string
  readonly bill: Billing
  readonly report: RouteReport
  /** What a new account calls with. */
  caller(headers?: Record<string, string>): Caller
  close(): Promise<void>
}

/** What came back, with what it cost in credits; `undefined` where nothing was said. */
interface Reply<Body = unknown> {
  readonly status: number
  readonly body: Body
  readonly headers: Headers
  readonly ceiling: number | undefined
  readonly charged: number | undefined
  readonly remaining: number | undefined
}

export interface Caller {
  readonly account: string
  post<Body = unknown>(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply<Body>>
  get<Body = unknown>(path: string): Promise<Reply<Body>>
  balance(): Promise<{ readonly balance: number; readonly reserved: number; readonly available: number }>
  usage(): Promise<unknown>
  /** What the ledger charged so far, oldest first, in credits. */
  charges(): Promise<number[]>
}

export async function start(make: Make, store: Store, allowance: number): Promise<Running> {
  const { server, bill, report } = make({ store, allowance })
  await once(server.listen(0), 'listening')
  const url = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    url,
    bill,
    report,
    caller: (headers) => callerOf(url, store, headers),
    async close() {
      await new Promise((closed) => server.close(closed))
      await bill.close()
    },
  }
}

function callerOf(url: string, store: Store, own?: Record<string, string>): Caller {
  const account = randomUUID()
  const identity = own ?? { 'x-api-key': account }
  const post: Caller['post'] = async (path, body, headers) =>
    replyOf(await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json', ...identity, ...headers }, body: JSON.stringify(body) ?? null }))
  const get: Caller['get'] = async (path) => replyOf(await fetch(url + path, { headers: identity }))
  const balance: Caller['balance'] = async () => (await get<Awaited<ReturnType<Caller['balance']>>>('/v1/credits/balance')).body
  return {
    account,
    post,
    get,
    balance,
    usage: async () => (await post('/v1/credits/projections/usage-summary')).body,
    async charges() {
      const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 1_000 })
      return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => Math.abs(amount) / 1_000_000)
    },
  }
}

async function replyOf<Body>(response: Response): Promise<Reply<Body>> {
  const text = await response.text()
  const credits = (name: string): number | undefined => {
    const value = response.headers.get(`Credits-${name}`)
    return value === null ? undefined : Number(value)
  }
  return {
    status: response.status,
    body: JSON.parse(text) as Body,
    headers: response.headers,
    ceiling: credits('Ceiling'),
    charged: credits('Charged'),
    remaining: credits('Remaining'),
  }
}
