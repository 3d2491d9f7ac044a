import type { BodyRead, Call } from '../src/billing/call/call.js'
import type { BillingOptions } from '../src/billing/options.js'
import { createEngine } from '../src/engine.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { openCall, recordingEvents, recordingLogger } from './open-call.js'

/** A request as an adapter tells of it: a `POST /run` of ada's that sends `{}`, unless said otherwise. */
export function call(over: Partial<Call> & { readonly read?: BodyRead; readonly headers?: Readonly<Record<string, string>> } = {}): Call {
  const { read = { kind: 'parsed', value: {} }, headers = {}, ...rest } = over
  return { ...openCall().call, header: (name) => headers[name], body: () => Promise.resolve(read), ...rest }
}

/** An engine with everything that it logs and tells. ada has 10 credits. */
export function setUp(options: object, store: Store = memoryStore()) {
  const log = recordingLogger()
  const { on, told, names } = recordingEvents()
  const engine = createEngine({ account: (request: object) => ('account' in request ? request.account : 'ada'), store, allowance: 10, logger: log.logger, on, ...options } as BillingOptions<unknown>)
  const list = (key: string) => engine.prices.find(...(key.split(' ') as [string, string]))
  const standing = async () => {
    const { balance, reserved } = await store.send({ kind: 'balance', account: 'ada' })
    return { balance: balance / 1e6, reserved: reserved / 1e6 }
  }
  /** A request that has reached a route. */
  const enter = async (key: string, request: Call = call()) => {
    const exchange = engine.exchange()
    return { exchange, answer: await exchange.enter(list(key), request, false) }
  }
  return { engine, store, told, names, list, standing, enter, ...log }
}
