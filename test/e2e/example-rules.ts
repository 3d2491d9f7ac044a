import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { start, stores, type Make, type Running } from './example.js'

/** What the rules that hold for every example need to know of one. */
export interface ExampleUnderTest {
  readonly name: string
  readonly make: Make
  /** A call that costs something, to the micro-credit. */
  readonly call: { readonly path: string; readonly body: unknown; readonly product: string; readonly price: number; readonly charge: number }
  /** The rules of this example's own, on each store; `api` is there once a test runs. */
  readonly rules: (api: () => Running) => void
}

/** More than any single call of the examples costs. */
const PLENTY = 10_000

/** Tests an example over HTTP on every store: the rules that all share, then its own. */
export function describeExample({ name, make, call, rules }: ExampleUnderTest): void {
  describe.each(stores)(`${name} on %s`, (_, makeStore) => {
    let api: Running
    let poor: Running
    beforeAll(async () => {
      api = await start(make, makeStore(), PLENTY)
      poor = await start(make, makeStore(), call.price / 2)
    })
    afterAll(async () => {
      await api.close()
      await poor.close()
    })

    it('has every route in its price book, and nothing in its price book that is no route', () => {
      const { unlisted, unmatched, before, opaque } = api.report
      expect({ unlisted, unmatched, before, opaque }).toEqual({ unlisted: [], unmatched: [], before: [], opaque: [] })
    })

    it('a call says its price and its charge, and what it says is what the ledger charged', async () => {
      const caller = api.caller()
      const { status, ceiling, charged, remaining } = await caller.post(call.path, call.body)
      expect({ status, ceiling, charged, remaining }).toEqual({ status: 200, ceiling: call.price, charged: call.charge, remaining: PLENTY - call.charge })
      expect(await caller.charges()).toEqual([call.charge])
    })

    it('the balance is the allowance less what was charged', async () => {
      const caller = api.caller()
      await caller.post(call.path, call.body)
      await caller.post(call.path, call.body)
      const left = expect.closeTo(PLENTY - 2 * call.charge, 6) as number
      expect(await caller.balance()).toEqual({ balance: left, reserved: 0, available: left })
    })

    it('the usage summary counts the calls and credits of the product, and has seven days', async () => {
      const caller = api.caller()
      await caller.post(call.path, call.body)
      await caller.post(call.path, call.body)
      const spent = { calls: 2, credits: 2 * call.charge }
      const usage = await caller.usage()
      expect(usage).toMatchObject({ total_calls: 2, total_credits: 2 * call.charge, per_component: [{ component: call.product, ...spent }] })
      const { daily_series: days } = usage as { daily_series: { date: string; requests: number; credits: number }[] }
      expect(days).toHaveLength(7)
      // The last day is today; midnight may have passed in between.
      expect(days.slice(-2).reduce((sum, { requests }) => sum + requests, 0)).toBe(2)
      expect(days.map(({ date }) => date)).toEqual(days.map(({ date }) => date).toSorted())
    })

    it('without an API key: 401, free', async () => {
      const { status, body, charged } = await api.caller({}).post(call.path, call.body)
      expect(status).toBe(401)
      expect(body).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
      expect(charged).toBe(0)
      expect(await api.caller({}).get('/v1/credits/balance')).toMatchObject({ status: 401 })
    })

    it('with an empty API key: 401', async () => {
      expect(await api.caller({ 'x-api-key': '' }).post(call.path, call.body)).toMatchObject({ status: 401 })
    })

    it('with too few credits: 402 in the envelope, nothing charged or held', async () => {
      const caller = poor.caller()
      const { status, body, charged } = await caller.post(call.path, call.body)
      expect(status).toBe(402)
      expect(body).toMatchObject({
        error: {
          code: 'PAYMENT_REQUIRED',
          message: 'insufficient credits',
          details: { required: call.price, available: call.price / 2, reserved: 0 },
        },
      })
      expect(charged).toBe(0)
      expect(await caller.charges()).toEqual([])
      expect(await caller.balance()).toEqual({ balance: call.price / 2, reserved: 0, available: call.price / 2 })
    })

    it('after a top-up the call that got 402 passes', async () => {
      const caller = poor.caller()
      expect(await caller.post(call.path, call.body)).toMatchObject({ status: 402 })
      await poor.bill.grant(caller.account, call.price, { id: 'payment-1', reason: 'top-up' })
      expect(await caller.post(call.path, call.body)).toMatchObject({ status: 200, charged: call.charge })
    })

    it('x-simulate: error answers 500 and costs nothing', async () => {
      const caller = api.caller()
      const { status, body, charged } = await caller.post(call.path, call.body, { 'x-simulate': 'error' })
      expect({ status, charged }).toEqual({ status: 500, charged: 0 })
      expect(body).toMatchObject({ error: { code: 'SIMULATED' } })
      expect(await caller.charges()).toEqual([])
      expect(await caller.usage()).toMatchObject({ total_calls: 0, total_credits: 0 })
      expect(await caller.balance()).toEqual({ balance: PLENTY, reserved: 0, available: PLENTY })
    })

    it('x-simulate: slow holds the price while the handler runs, and no longer', async () => {
      const caller = api.caller()
      const answered = caller.post(call.path, call.body, { 'x-simulate': 'slow:400' })
      const held = { balance: PLENTY, reserved: call.price, available: expect.closeTo(PLENTY - call.price, 6) as number }
      await vi.waitFor(async () => expect(await caller.balance()).toEqual(held), { interval: 5 })
      expect(await answered).toMatchObject({ status: 200, charged: call.charge })
      expect(await caller.balance()).toMatchObject({ reserved: 0 })
    })

    it('x-simulate: slow and error together hold the price, then give it back', async () => {
      const caller = api.caller()
      const answered = caller.post(call.path, call.body, { 'x-simulate': 'slow:400, error' })
      await vi.waitFor(async () => expect(await caller.balance()).toMatchObject({ reserved: call.price }), { interval: 5 })
      expect(await answered).toMatchObject({ status: 500, charged: 0 })
      expect(await caller.balance()).toEqual({ balance: PLENTY, reserved: 0, available: PLENTY })
    })

    rules(() => api)
  })
}

/** A call of an example's and what it is to cost, in credits; without a charge: its price. */
export interface Priced {
  readonly body: unknown
  readonly price: number
  readonly charge?: number
}

/** Asserts a call's price and charge: in the headers and in the ledger. */
export async function expectPriced(api: Running, path: string, { body, price, charge = price }: Priced): Promise<void> {
  const caller = api.caller()
  const { status, ceiling, charged, remaining } = await caller.post(path, body)
  expect({ status, ceiling, charged, remaining }).toEqual({ status: 200, ceiling: price, charged: charge, remaining: PLENTY - charge })
  expect((await caller.charges()).reduce((sum, credits) => sum + credits, 0)).toBe(charge)
}

/** Asserts that a body is refused with 422 and costs nothing. */
export async function expectRefused(api: Running, path: string, body: unknown): Promise<void> {
  const caller = api.caller()
  const { status, body: answer, charged } = await caller.post(path, body)
  expect(status).toBe(422)
  expect(answer).toMatchObject({ error: { code: 'INVALID_REQUEST' } })
  expect(charged).toBe(0)
  expect(await caller.charges()).toEqual([])
}
