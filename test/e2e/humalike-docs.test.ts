// What docs.humalike.com tells about credits, rule by rule and page by page, and what Farebox adds to it.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { start, stores, type Caller, type Running } from './example.js'
import { makeHumalike } from './makers.js'

const ALLOWANCE = 1_000
const LITTLE = 10
const DAY = /^\d{4}-\d\d-\d\d$/

const personas = (count: number, detail = 'short') => ({ path: '/v1/personas/generate', body: { count, detail } })
const enhance = (count: number) => ({ path: '/v1/personas/enhance', body: { personas: Array.from({ length: count }, (_, id) => ({ id })) } })
const validate = (size: number) => ({ path: '/v1/populations/validate', body: { size } })
const extract = (length: number, blanks = 0) => ({ path: '/v1/social-learning/profiles/extract', body: { transcript: 'x'.repeat(length) + ' '.repeat(blanks) } })
const foresee = (length: number, horizon = 1) => ({ path: '/v1/theory-of-mind/foresee', body: { transcript: 'x'.repeat(length), horizon } })
const analyze = (count: number) => ({ path: '/v1/social-observability/analyze', body: { events: Array.from({ length: count }, (_, id) => ({ id })) } })
const read = (limit: number) => ({ path: '/v1/social-memory/read', body: { query: 'tea', limit } })
const ingest = { path: '/v1/social-memory/ingest', body: { memories: ['Ada likes tea', 'Bob likes tea'] } }

/** A call of each billable endpoint, and a larger one. */
const billable = [
  ['generating personas', personas(2), personas(20)],
  ['enhancing personas', enhance(2), enhance(20)],
  ['validating a population', validate(150), validate(5_000)],
  ['extracting a Social Learning profile', extract(1_500), extract(50_000)],
  ['a Theory of Mind foresee', foresee(1_500), foresee(50_000)],
  ['a Social Observability analysis', analyze(2), analyze(1_000)],
  ['a Social Memory read', read(2), read(100)],
] as const

type Sent = (typeof billable)[number][1] | typeof ingest

interface UsageSummary {
  readonly total_calls: number
  readonly total_credits: number
  readonly per_component: readonly { readonly component: string; readonly calls: number; readonly credits: number }[]
  readonly daily_series: readonly { readonly date: string; readonly requests: number; readonly credits: number }[]
}

describe.each(stores)('docs.humalike.com on %s', (_, makeStore) => {
  let api: Running
  let poor: Running
  beforeAll(async () => {
    api = await start(makeHumalike, makeStore(), ALLOWANCE)
    poor = await start(makeHumalike, makeStore(), LITTLE)
  })
  afterAll(async () => {
    await api.close()
    await poor.close()
  })

  const send = <Body = unknown>(caller: Caller, { path, body }: Sent, headers?: Record<string, string>) => caller.post<Body>(path, body, headers)
  const usageOf = async (caller: Caller) => await caller.usage() as UsageSummary

  describe('credits and billing: what is billable', () => {
    it.each(billable)('%s is', async (_, call) => {
      const caller = api.caller()
      expect(await send(caller, call)).toMatchObject({ status: 200, ceiling: expect.any(Number) as number })
      expect(await usageOf(caller)).toMatchObject({ total_calls: 1 })
    })

    it('a plain write, a Social Memory ingest, is not, not even for an account that has nothing left', async () => {
      const caller = poor.caller()
      await send(caller, personas(5))
      expect(await caller.balance()).toMatchObject({ available: 0 })
      expect(await send(caller, ingest)).toMatchObject({ status: 200, body: { ingested: 2 }, ceiling: undefined, charged: undefined })
      expect(await caller.charges()).toEqual([10])
    })

    it('reads of one\'s own billing data are not', async () => {
      const caller = api.caller()
      await caller.balance()
      await caller.usage()
      expect(await caller.charges()).toEqual([])
      expect(await caller.usage()).toMatchObject({ total_calls: 0 })
    })
  })

  describe('credits and billing: the credit account', () => {
    it('the first billable call provisions the account and grants its allowance; there is nothing to claim', async () => {
      const caller = api.caller()
      await send(caller, ingest)
      expect(await caller.balance()).toMatchObject({ balance: 0 })
      expect(await send(caller, personas(1))).toMatchObject({ status: 200, remaining: ALLOWANCE - 2 })
      expect(await send(caller, personas(1))).toMatchObject({ status: 200, remaining: ALLOWANCE - 4 })
    })

    it('there is one balance for every billable endpoint', async () => {
      const caller = api.caller()
      const replies = []
      for (const [, call] of billable) replies.push(await send(caller, call))
      const spent = replies.reduce((sum, { charged }) => sum + charged!, 0)
      expect(replies.at(-1)!.remaining).toBeCloseTo(ALLOWANCE - spent, 6)
      expect(await caller.balance()).toEqual({ balance: replies.at(-1)!.remaining, reserved: 0, available: replies.at(-1)!.remaining })
    })

    it('a bearer token names it as an API key does', async () => {
      const caller = api.caller()
      await send(caller, personas(1))
      const bearer = api.caller({ authorization: `Bearer ${caller.account}` })
      expect(await bearer.balance()).toMatchObject({ balance: ALLOWANCE - 2 })
    })
  })

  describe('credits and billing: how a call is priced', () => {
    it.each(billable)('%s is priced before it runs: more for larger inputs', async (_, small, large) => {
      const [one, two] = await Promise.all([small, large].map(async (call) => (await send(api.caller(), call)).ceiling!))
      expect(one).toBeGreaterThan(0)
      expect(two).toBeGreaterThan(one!)
    })

    it.each([
      ['long personas', personas(2), personas(2, 'long')],
      ['a farther horizon', foresee(1_500), foresee(1_500, 5)],
    ])('longer outputs cost more: %s', async (_, short, long) => {
      const [one, two] = await Promise.all([short, long].map(async (call) => (await send(api.caller(), call)).charged!))
      expect(two).toBeGreaterThan(one!)
    })

    it.each(billable)('%s never costs more than the price computed up front', async (_, ...calls) => {
      for (const call of calls) {
        const { ceiling, charged } = await send(api.caller(), call)
        expect(charged).toBeLessThanOrEqual(ceiling!)
      }
    })

    it('the work that was done is paid for, up to that ceiling', async () => {
      const caller = api.caller()
      await send(caller, ingest)
      expect(await send(caller, read(100))).toMatchObject({ ceiling: 10, charged: 0.2 })
      expect(await send(caller, read(1))).toMatchObject({ ceiling: 0.1, charged: 0.1 })
      expect(await send(caller, extract(1_000, 4_000))).toMatchObject({ ceiling: 5, charged: 1 })
    })

    it.each(billable)('%s that fails after it was accepted costs zero', async (_, call) => {
      const caller = api.caller()
      expect(await send(caller, call, { 'x-simulate': 'error' })).toMatchObject({ status: 500, charged: 0, remaining: ALLOWANCE })
      expect(await caller.charges()).toEqual([])
    })
  })

  describe('credits and billing: 402 Payment Required', () => {
    const larger = billable.map(([name, , call]) => [name, call] as const).filter(([name]) => name !== 'a Social Memory read')

    it.each(larger)('%s that the balance can\'t cover is rejected before it runs, in the error envelope, and not charged', async (_, call) => {
      const caller = poor.caller()
      // It would answer 500, had it run.
      const { status, body, charged } = await send(caller, call, { 'x-simulate': 'error' })
      expect({ status, charged, body }).toMatchObject({ status: 402, charged: 0, body: { error: { code: 'PAYMENT_REQUIRED', message: 'insufficient credits' } } })
      expect(await caller.balance()).toEqual({ balance: LITTLE, reserved: 0, available: LITTLE })
    })

    it('is a terminal answer to that exact request: no Retry-After, and the same again', async () => {
      const caller = poor.caller()
      for (let i = 0; i < 3; i++) {
        const { status, headers } = await send(caller, personas(20))
        expect([status, headers.get('retry-after')]).toEqual([402, null])
      }
    })

    it('topping up resolves it', async () => {
      const caller = poor.caller()
      expect(await send(caller, personas(20))).toMatchObject({ status: 402 })
      await poor.bill.grant(caller.account, 30, { id: 'payment-1', reason: 'top-up' })
      expect(await send(caller, personas(20))).toMatchObject({ status: 200, charged: 40, remaining: 0 })
    })

    it.each(larger)('says for %s that a smaller request would fit, and one does', async (name, call) => {
      const caller = poor.caller()
      expect((await send(caller, call)).body).toMatchObject({ error: { details: { remedy: 'reduce' } } })
      const [, small] = billable.find((row) => row[0] === name)!
      expect(await send(caller, small)).toMatchObject({ status: 200 })
    })

    it('says to top up where nothing smaller fits', async () => {
      const caller = poor.caller()
      await send(caller, personas(5))
      expect((await send(caller, personas(20))).body).toMatchObject({ error: { details: { remedy: 'top_up', required: 40, available: 0 } } })
    })
  })

  describe('usage summary', () => {
    it('takes an empty JSON object', async () => {
      expect(await api.caller().post('/v1/credits/projections/usage-summary', {})).toMatchObject({ status: 200, body: { total_calls: 0, total_credits: 0, per_component: [] } })
    })

    it('total_calls and total_credits are the billed calls and what was paid for them', async () => {
      const caller = api.caller()
      const replies = await Promise.all(billable.map(([, call]) => send(caller, call)))
      const paid = replies.reduce((sum, { charged }) => sum + charged!, 0)
      expect(await usageOf(caller)).toMatchObject({ total_calls: billable.length, total_credits: expect.closeTo(paid, 6) as number })
    })

    it('calls that failed, were refused or are free are not counted', async () => {
      const caller = poor.caller()
      await send(caller, personas(1), { 'x-simulate': 'error' })
      await send(caller, personas(50))
      await send(caller, { path: personas(1).path, body: { count: 0, detail: 'short' } })
      await send(caller, ingest)
      expect(await usageOf(caller)).toMatchObject({ total_calls: 0, total_credits: 0, per_component: [] })
    })

    it('per_component has an entry for each product that was used, and none for the others', async () => {
      const caller = api.caller()
      await send(caller, personas(2))
      await send(caller, enhance(2))
      await send(caller, foresee(1_500))
      expect((await usageOf(caller)).per_component).toEqual([
        { component: 'personas', calls: 2, credits: 10 },
        { component: 'theory-of-mind', calls: 1, credits: 2 },
      ])
    })

    it('daily_series has the last seven UTC days, oldest first, days without calls with zeros', async () => {
      const caller = api.caller()
      const before = new Date().toISOString().slice(0, 10)
      await send(caller, personas(2))
      const { daily_series: days } = await usageOf(caller)
      const dates = days.map(({ date }) => date)
      expect(dates.every((date) => DAY.test(date))).toBe(true)
      expect(dates.map(Date.parse)).toEqual(dates.map((_, i) => Date.parse(dates[0]!) + i * 86_400_000))
      expect([before, new Date().toISOString().slice(0, 10)]).toContain(dates[6])
      // Midnight may have passed since the call.
      expect(days.slice(0, 5)).toEqual(dates.slice(0, 5).map((date) => ({ date, requests: 0, credits: 0 })))
      expect(days.slice(5).reduce((sum, { requests, credits }) => sum + requests + credits, 0)).toBe(1 + 4)
      expect(days).toHaveLength(7)
    })

    it('shows an account its own usage only, whatever user_id is asked for', async () => {
      const [one, two] = [api.caller(), api.caller()]
      await send(one, personas(2))
      expect((await two.post('/v1/credits/projections/usage-summary', { user_id: one.account })).body).toMatchObject({ total_calls: 0 })
    })

    it('is refused with 401 without a key', async () => {
      expect(await api.caller({}).post('/v1/credits/projections/usage-summary', {})).toMatchObject({ status: 401 })
    })
  })

  describe('what Farebox adds: estimates', () => {
    it.each(billable)('of %s: what it costs at most, for nothing', async (_, call, large) => {
      for (const { path, body } of [call, large]) {
        const caller = api.caller()
        const estimate = await caller.post<{ estimatedCredits: number; estimatedMaxCredits: number }>(`${path}/estimate`, body)
        expect(estimate).toMatchObject({ status: 200, body: { likelySyncOrAsync: 'sync', providersLikelyUsed: [], withinPlanLimits: true } })
        expect(await caller.balance()).toMatchObject({ balance: 0, reserved: 0 })
        const { ceiling } = await caller.post(path, body)
        expect(estimate.body.estimatedMaxCredits).toBe(ceiling)
        expect(estimate.body.estimatedCredits).toBeLessThanOrEqual(ceiling!)
      }
    })

    it('says whether the balance covers the call', async () => {
      for (const [count, withinPlanLimits] of [[5, true], [6, false]] as const) {
        const { path, body } = personas(count)
        expect((await poor.caller().post(`${path}/estimate`, body)).body).toMatchObject({ estimatedMaxCredits: 2 * count, withinPlanLimits })
      }
    })

    it('refuses the body that the call refuses, and who has no key', async () => {
      const { path } = personas(1)
      expect(await api.caller().post(`${path}/estimate`, { count: 51 })).toMatchObject({ status: 422, body: { error: { code: 'INVALID_REQUEST' } } })
      expect(await api.caller({}).post(`${path}/estimate`, { count: 1 })).toMatchObject({ status: 401 })
    })

    it('there is none of what is free', async () => {
      const response = await fetch(`${api.url}${ingest.path}/estimate`, { method: 'POST', headers: { 'x-api-key': 'ada', 'content-type': 'application/json' }, body: JSON.stringify(ingest.body) })
      expect(response.status).toBe(404)
    })
  })

  describe('what Farebox adds: Idempotency-Key', () => {
    const key = () => ({ 'Idempotency-Key': randomUUID() })

    it.each(billable)('%s sent again under its key answers the same and is charged once', async (_, call) => {
      const caller = api.caller()
      const headers = key()
      const first = await send(caller, call, headers)
      const again = await send(caller, call, headers)
      expect({ status: again.status, body: again.body, charged: again.charged }).toEqual({ status: 200, body: first.body, charged: first.charged })
      expect([first, again].map((reply) => reply.headers.get('idempotent-replayed'))).toEqual([null, 'true'])
      expect(await usageOf(caller)).toMatchObject({ total_calls: 1 })
    })

    it('with another payload it is refused with 422, free', async () => {
      const caller = api.caller()
      const headers = key()
      await send(caller, personas(1), headers)
      expect(await send(caller, personas(2), headers)).toMatchObject({ status: 422, charged: 0, body: { error: { code: 'IDEMPOTENCY_MISMATCH' } } })
      expect(await caller.charges()).toEqual([2])
    })

    it('while its call runs it is refused with 409 and Retry-After', async () => {
      const caller = api.caller()
      const headers = key()
      const first = send(caller, personas(1), { ...headers, 'x-simulate': 'slow:300' })
      await expect.poll(async () => (await caller.balance()).reserved, { interval: 5 }).toBe(2)
      const second = await send(caller, personas(1), headers)
      expect({ status: second.status, body: second.body, after: second.headers.get('retry-after') }).toMatchObject({ status: 409, body: { error: { code: 'IDEMPOTENCY_IN_PROGRESS' } }, after: '1' })
      expect(await first).toMatchObject({ status: 200, charged: 2 })
      expect(await caller.charges()).toEqual([2])
    })

    it('a 402 or a failure does not use it up', async () => {
      const caller = poor.caller()
      const headers = key()
      expect(await send(caller, personas(20), headers)).toMatchObject({ status: 402 })
      expect(await send(caller, personas(1), { ...headers, 'x-simulate': 'error' })).toMatchObject({ status: 500 })
      expect(await send(caller, personas(1), headers)).toMatchObject({ status: 200, charged: 2 })
    })
  })
})
