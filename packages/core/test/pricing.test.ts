import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { metered } from '../src/billing/prices/metered.js'
import { chargeOf, priceOf } from '../src/billing/prices/pricing.js'
import type { ChargeContext, PriceContext, Route } from '../src/billing/prices/route.js'

const context: PriceContext = { body: { n: 3 }, params: {}, query: {}, account: 'ada', header: () => undefined }
const charging = (body: unknown): ChargeContext => ({ ...context, response: { status: 200, body }, ceiling: 10, counts: {}, usage: undefined })
const CEILING = 10_000_000

const priced = (price: unknown) => priceOf({ product: 'p', price } as Route, context)
const charged = (charge: unknown, route: object = {}, body: unknown = { n: 3 }) => chargeOf({ product: 'p', price: 10, charge, ...route } as Route, charging(body), CEILING)

describe('a price', () => {
  it('is a number, or computed', () => {
    expect(priced(1.5)).toEqual({ kind: 'amount', micro: 1_500_000, items: [] })
    expect(priced(({ body }: PriceContext<{ n: number }>) => body.n / 10)).toEqual({ kind: 'amount', micro: 300_000, items: [] })
    expect(priced(() => 0)).toEqual({ kind: 'amount', micro: 0, items: [] })
  })

  it.each([NaN, -1, Infinity, -Infinity, 1e300, '5', null, undefined, 5n, {}, { credits: NaN }, Promise.resolve(5)])('that is %s is broken', (value) => {
    expect(priced(() => value)).toMatchObject({ kind: 'broken', reason: expect.stringContaining('expected credits from 0') as string })
  })

  it('that throws is broken, and says why', () => {
    const cause = new Error('no')
    expect(priced(() => { throw cause })).toEqual({ kind: 'broken', reason: 'price threw', cause })
  })
})

describe('a charge', () => {
  it('is the ceiling where the route has none', async () => {
    expect(await charged(undefined)).toEqual({ kind: 'amount', micro: CEILING, items: [] })
  })

  it('may be more than the ceiling: whoever settles clamps it', async () => {
    expect(await charged(() => 11)).toEqual({ kind: 'amount', micro: 11_000_000, items: [] })
  })

  it('reads the response through its schema', async () => {
    const response = z.object({ n: z.string().transform(Number) })
    const charge = ({ response }: ChargeContext<unknown, { n: number }>) => response.body.n
    expect(await charged(charge, { response }, { n: '4' })).toEqual({ kind: 'amount', micro: 4_000_000, items: [] })
    expect(await charged(charge, { response }, { m: 4 })).toMatchObject({ kind: 'broken', reason: expect.stringContaining('does not fit') as string })
    expect(await charged(charge, { response }, undefined)).toMatchObject({ kind: 'broken' })
  })

  it('whose schema throws is broken', async () => {
    const response = z.unknown().transform(() => { throw new Error('no') })
    expect(await charged(() => 1, { response })).toMatchObject({ kind: 'broken', reason: 'the response schema threw' })
  })
})

describe('metered', () => {
  const pricing = (ceiling: object, used: object) => ({ product: 'p', ...metered({ rates: { domain: 1, page: 0.1 }, ceiling: () => ceiling, used: () => used }) }) as Route

  it('prices the most it can use and charges what it did, with a line for each unit', async () => {
    const route = pricing({ domain: 5, page: 10 }, { domain: 2, page: 3 })
    expect(priceOf(route, context)).toMatchObject({ micro: 6_000_000 })
    expect(await chargeOf(route, charging({}), CEILING)).toEqual({
      kind: 'amount', micro: 2_300_000,
      items: [{ unit: 'domain', quantity: 2, credits: 2 }, { unit: 'page', quantity: 3, credits: expect.closeTo(0.3, 10) as number }],
    })
  })

  it('is broken by a count of a unit that has no rate: a mistyped one must not be free', async () => {
    const route = { product: 'looks', ...metered({ rates: { domain: 1 }, ceiling: () => ({ domain: 5 }) }) }
    const counting = (counts: Record<string, number>) => chargeOf(route as Route, { ...charging({}), counts }, 5_000_000)
    expect(await counting({ domain: 2 })).toMatchObject({ kind: 'amount', micro: 2_000_000 })
    expect(await counting({ domian: 2 })).toMatchObject({ kind: 'broken', cause: { message: expect.stringContaining('"domian" has no rate') as string } })
  })

  it('counts a unit left out as none', () => {
    expect(priceOf(pricing({}, {}), context)).toMatchObject({ micro: 0 })
  })

  it.each<object>([{ domain: -1 }, { domain: NaN }, { domain: '5' }, { domain: undefined }, { attempt: 1 }, { toString: 1 }])('%j is broken', (quantities) => {
    expect(priceOf(pricing(quantities, {}), context)).toMatchObject({ kind: 'broken', reason: 'price threw' })
  })

  it('has no price where the sum is no amount', () => {
    expect(priceOf(pricing({ domain: Infinity }, {}), context)).toMatchObject({ kind: 'broken' })
  })
})
