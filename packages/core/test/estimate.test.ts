import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Call } from '../src/billing/call/call.js'
import type { ListedRoute } from '../src/billing/prices/price-list.js'
import type { Route } from '../src/billing/prices/route.js'
import type { Estimate } from '../src/http/estimate.js'
import { bucketOf } from '../src/billing/learning/latency.js'
import { memoryStore } from '../src/store/memory.js'
import { never, scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'
import { seeded } from './workload.js'

const prices = {
  'POST /run': { product: 'runs', body: z.object({ n: z.number() }), price: ({ body }: { body: { n: number } }) => body.n },
  'POST /declared': { product: 'runs', price: 5, providers: ['clearbit', 'apollo'], operation: () => 'op', expected: { credits: 2, lowMs: 100, highMs: 900 } },
  'POST /slow': { product: 'runs', price: 5, maxDuration: 1_000, expected: { credits: 50, lowMs: 4_000 } },
  'POST /broken': { product: 'runs', price: () => NaN },
}

const body = (n: number) => call({ read: { kind: 'parsed', value: { n } } })

async function estimating(options: object = {}, store = memoryStore()) {
  const at = setUp({ prices, ...options }, store)
  const ask = (key: string, request: Call = call()) => at.engine.estimates.answer(key, (at.list(key) as ListedRoute).terms as Route, request)
  const estimate = async (key: string, request?: Call) => JSON.parse((await ask(key, request)).body as string) as Estimate
  return { ...at, ask, estimate }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('the path of an estimate', () => {
  it.each([
    ['POST', '/v1/run/estimate', '/v1/run'],
    ['POST', '/estimate', undefined],
    ['GET', '/v1/run/estimate', undefined],
    ['POST', '/v1/run/estimates', undefined],
    ['POST', '/v1/estimate/run', undefined],
  ])('%s %s is of %s', async (method, path, of) => {
    expect((await estimating()).engine.estimates.pathOf(method, path)).toBe(of)
  })

  it('can be another one, or none', async () => {
    expect((await estimating({ endpoints: { estimate: '/quote' } })).engine.estimates.pathOf('POST', '/run/quote')).toBe('/run')
    expect((await estimating({ endpoints: { estimate: false } })).engine.estimates.pathOf('POST', '/run/estimate')).toBeUndefined()
  })
})

describe('before enough calls were seen', () => {
  it('says the ceiling, and that it may take as long as a call may', async () => {
    expect(await (await estimating()).estimate('POST /run', body(7))).toEqual({
      estimatedCredits: 7, estimatedMaxCredits: 7, likelySyncOrAsync: 'sync', expectedLatencyRange: { lowMs: 0, highMs: 600_000 }, providersLikelyUsed: [], withinPlanLimits: true,
    })
  })

  it('says what the route declares', async () => {
    expect(await (await estimating()).estimate('POST /declared')).toEqual({
      estimatedCredits: 2, estimatedMaxCredits: 5, likelySyncOrAsync: 'async', expectedLatencyRange: { lowMs: 100, highMs: 900 },
      providersLikelyUsed: ['clearbit', 'apollo'], withinPlanLimits: true,
    })
  })

  it('never says more than the ceiling, nor a range that ends before it begins', async () => {
    expect(await (await estimating()).estimate('POST /slow')).toMatchObject({ estimatedCredits: 5, expectedLatencyRange: { lowMs: 4_000, highMs: 4_000 } })
  })
})

it('holds nothing and provisions nobody', async () => {
  const { estimate, store, told, engine } = await estimating()
  await estimate('POST /run', body(7))
  expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ provisioned: false, balance: 0, reserved: 0 })
  expect(told).toEqual([])
  expect(engine.billing.refusals()).toEqual({})
})

describe('within the limits of the plan', () => {
  it('is what a new account could pay with its allowance, to the last micro-credit', async () => {
    const { estimate } = await estimating()
    expect(await estimate('POST /run', body(10))).toMatchObject({ withinPlanLimits: true })
    expect(await estimate('POST /run', body(10.000001))).toMatchObject({ withinPlanLimits: false })
  })

  it('is what is available to one that has had it', async () => {
    const { enter, estimate } = await estimating()
    await enter('POST /run', body(4))
    expect(await estimate('POST /run', body(6))).toMatchObject({ withinPlanLimits: true })
    expect(await estimate('POST /run', body(7))).toMatchObject({ withinPlanLimits: false })
  })

  it('is what one call may cost', async () => {
    expect(await (await estimating({ maxCeiling: 3 })).estimate('POST /run', body(4))).toMatchObject({ withinPlanLimits: false, estimatedMaxCredits: 4 })
  })
})

describe('what can\'t be estimated is refused as the call would be', () => {
  it.each<[string, string, Call, number]>([
    ['nobody', 'POST /declared', call({ request: { account: undefined } }), 401],
    ['a wrong body', 'POST /run', call(), 422],
    ['no price', 'POST /broken', call(), 500],
  ])('%s', async (_, key, request, status) => {
    expect((await (await estimating()).ask(key, request)).status).toBe(status)
  })

  it('a store that is lost, or hangs', async () => {
    expect((await (await estimating({}, scriptedStore(() => Promise.reject(new Error('lost'))).store)).ask('POST /declared')).status).toBe(503)
    vi.useFakeTimers()
    const asked = (await estimating({}, scriptedStore(() => never).store)).ask('POST /declared')
    await vi.advanceTimersByTimeAsync(1_000)
    expect((await asked).status).toBe(503)
  })
})

describe('after 1,000 settled calls', () => {
  it('says what calls of any size are likely to cost, within 5 %, and how long they take, within a bucket', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const random = seeded(11)
    const used = { ratio: 0, ms: 0 }
    const route = { ...prices['POST /run'], charge: ({ ceiling }: { ceiling: number }) => ceiling * used.ratio }
    const { enter, estimate } = await estimating({ allowance: 100_000, prices: { 'POST /run': route } })
    for (let i = 0; i < 1_000; i++) {
      const { exchange } = await enter('POST /run', body(1 + Math.floor(20 * random())))
      // 0.1 to 0.7 of the price, 50 to 1,050 ms
      used.ratio = 0.1 + 0.6 * random()
      vi.advanceTimersByTime(50 + 1_000 * random())
      await exchange.close({ status: 200 })
    }
    const { estimatedCredits, estimatedMaxCredits, expectedLatencyRange: { lowMs, highMs }, likelySyncOrAsync } = await estimate('POST /run', body(30))
    expect(estimatedMaxCredits).toBe(30)
    expect(Math.abs(estimatedCredits - 12)).toBeLessThanOrEqual(12 * 0.05)
    expect(Math.abs(bucketOf(lowMs) - bucketOf(150))).toBeLessThanOrEqual(1)
    expect(Math.abs(bucketOf(highMs) - bucketOf(950))).toBeLessThanOrEqual(1)
    expect(likelySyncOrAsync).toBe('sync')
  })

  it('of operations: counted when they are finished, by how long that took', async () => {
    vi.useFakeTimers()
    let id = 0
    const { enter, engine, estimate } = await estimating({ allowance: 1_000, prices: { 'POST /begin': { product: 'p', price: 4, operation: () => `op${id}` } } })
    for (; id < 20; id++) {
      const { exchange } = await enter('POST /begin')
      await exchange.close({ status: 202 })
      await vi.advanceTimersByTimeAsync(30_000)
      if (id === 19) expect(await estimate('POST /begin')).toMatchObject({ expectedLatencyRange: { highMs: 600_000 } })
      await engine.billing.operations.succeed(`op${id}`, { charge: 1 })
    }
    const { expectedLatencyRange: { lowMs, highMs }, ...rest } = await estimate('POST /begin')
    expect(rest).toMatchObject({ estimatedCredits: 1, likelySyncOrAsync: 'async' })
    expect([lowMs, highMs].map(bucketOf)).toEqual([bucketOf(30_000), bucketOf(30_000)])
  })

  it('failed ones teach nothing', async () => {
    const { enter, estimate } = await estimating()
    for (let i = 0; i < 30; i++) await (await enter('POST /run', body(1))).exchange.close({ status: 500 })
    expect(await estimate('POST /run', body(7))).toMatchObject({ expectedLatencyRange: { lowMs: 0, highMs: 600_000 } })
  })
})

it('closing hands what this process has seen to the others', async () => {
  const store = memoryStore()
  const first = await estimating({ allowance: 1_000 }, store)
  for (let i = 0; i < 20; i++) await (await first.enter('POST /run', body(1))).exchange.close({ status: 200 })
  await first.engine.billing.close()
  expect(await (await estimating({}, store)).estimate('POST /run', body(1))).not.toMatchObject({ expectedLatencyRange: { highMs: 600_000 } })
})
