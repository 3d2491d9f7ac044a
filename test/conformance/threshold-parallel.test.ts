import { afterEach, describe, expect, inject, it } from 'vitest'
import { memoryStore, type Events, type Store, type TopUpNeed } from '@farebox/core'
import { createEngine, type Call, type Engine } from '@farebox/core/adapter'
import { redisStore } from '@farebox/redis'

const call: Call = { url: '/run', params: {}, request: {}, query: () => ({}), header: () => undefined, body: () => Promise.resolve({ kind: 'parsed', value: undefined }) }
const terms = { product: 'runs', price: 1 } as const

/** One call without a framework: thousands of them at once cost no sockets. */
async function run(engine: Engine<object>): Promise<boolean> {
  const exchange = engine.exchange()
  if (await exchange.enter({ key: 'POST /run', terms }, call, false)) return false
  await exchange.close({ status: 200 })
  return true
}

describe.each<[string, () => () => Store]>([
  ['memory', () => {
    const store = memoryStore()
    return () => store
  }],
  ['redis', () => {
    const prefix = `parallel-${crypto.randomUUID()}`
    return () => redisStore(inject('redisUrl'), { prefix })
  }],
])('1,000 parallel calls of three billings on one store, balances in %s', (_, opener) => {
  const engines: Engine<object>[] = []
  const close = () => Promise.all(engines.splice(0).map(({ billing }) => billing.close()))
  afterEach(close)

  function three(options: object) {
    const open = opener()
    const logger = { warn() {}, error: console.error }
    engines.push(...Array.from({ length: 3 }, () => createEngine({ account: () => 'ada', store: open(), storeTimeout: 20_000, logger, ...options })))
    return engines
  }
  const calls = async () => (await Promise.all(Array.from({ length: 1_000 }, (__, i) => run(engines[i % 3]!)))).filter(Boolean).length

  it('that pass a threshold are one event', async () => {
    const told: Events['threshold'][] = []
    const [first] = three({ allowance: 1_500, onThreshold: [{ below: 1_000 }, { used: 0.5 }], on: { threshold: (event: Events['threshold']) => void told.push(event) } })
    await run(first!)
    expect(await calls()).toBe(1_000)
    await close()
    expect(told.map((event) => ('below' in event ? event.below : event.used)).sort()).toEqual([0.5, 1_000])
  })

  it('that run low are topped up once, although every one sees it', async () => {
    const asked: TopUpNeed[] = []
    const topUp = async (need: TopUpNeed) => {
      asked.push(need)
      return 2_000
    }
    three({ allowance: 400, autoTopUp: { below: 300, topUp } })
    expect(await calls()).toBeGreaterThanOrEqual(400)
    await close()
    expect(asked.map(({ id }) => id)).toEqual(['ada/auto-top-up:1'])
  })
})
