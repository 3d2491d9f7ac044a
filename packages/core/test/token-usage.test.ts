import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { chargeOf, priceOf } from '../src/billing/prices/pricing.js'
import type { ChargeContext, PriceContext, Route } from '../src/billing/prices/route.js'
import type { TokenUsage } from '../src/tokens/token-reader.js'
import { soFar, toldUsage } from '../src/tokens/told-usage.js'
import { tokenUsage, type TokenRates } from '../src/billing/prices/token-usage.js'
import { nothing } from './token-responses.js'

const Chat = z.object({ prompt: z.string(), max_tokens: z.number() })
const body = { prompt: 'four words of text', max_tokens: 100 }
const context: PriceContext<typeof body> = { body, params: {}, query: {}, account: 'ada', header: () => undefined }

const sold = (rates: TokenRates, ceiling = { input: 1_000, output: 100 }) => ({ product: 'chat', ...tokenUsage({ rates, ceiling: () => ceiling }) })
const charging = (usage: TokenUsage | undefined): ChargeContext => ({ ...context, response: { status: 200, body: undefined }, ceiling: 10, counts: {}, usage })
const used = (usage: Partial<TokenUsage>): TokenUsage => ({ input: 0, output: 0, cachedInput: 0, cacheWrite: 0, ...usage })

describe('a route that is sold by the token', () => {
  it('costs at most its ceiling of tokens', () => {
    expect(priceOf(sold({ input: 0.0025, output: 0.01 }), context)).toMatchObject({ micro: 3_500_000 })
  })

  it('reads the ceiling off the body', () => {
    const route = tokenUsage({ body: Chat, rates: { input: 0.5, output: 0.25 }, ceiling: ({ body }) => ({ input: body.prompt.length, output: body.max_tokens }) })
    expect(route.body).toBe(Chat)
    expect(priceOf({ product: 'chat', ...route } as Route, context)).toMatchObject({ micro: (18 / 2 + 100 / 4) * 1_000_000 })
    expect(route.tokens(context)).toEqual({ input: 18, output: 100 })
  })

  it('costs at most that also where the whole prompt is written to a cache, which is dearer', async () => {
    const route = sold({ input: 0.004, cacheWrite: 0.005, cachedInput: 0.0004, output: 0.02 })
    expect(priceOf(route, context)).toMatchObject({ micro: 7_000_000 })
    const charge = await chargeOf(route, charging(used({ input: 1_000, cacheWrite: 1_000, output: 100 })), 7_000_000)
    expect(charge).toMatchObject({ micro: 7_000_000 })
  })

  it('charges what was used, each kind of token at its own rate and only once', async () => {
    const route = sold({ input: 0.004, cacheWrite: 0.005, cachedInput: 0.0004, output: 0.02 })
    expect(await chargeOf(route, charging(used({ input: 100, cachedInput: 50, cacheWrite: 20, output: 10 })), 10)).toEqual({
      kind: 'amount', micro: 440_000,
      items: [
        { unit: 'input', quantity: 30, credits: 0.12 }, { unit: 'output', quantity: 10, credits: 0.2 },
        { unit: 'cachedInput', quantity: 50, credits: 0.02 }, { unit: 'cacheWrite', quantity: 20, credits: 0.1 },
      ],
    })
  })

  it('charges what a cache held or took as any input where it has no rate', async () => {
    const charge = await chargeOf(sold({ input: 0.004, output: 0.02 }), charging(used({ input: 100, cachedInput: 50, cacheWrite: 20 })), 10)
    expect(charge).toMatchObject({ micro: 400_000 })
  })

  it('has a receipt of two lines where there was no cache', async () => {
    const charge = await chargeOf(sold({ input: 1, output: 2 }), charging(used({ input: 3, output: 4 })), 10)
    expect(charge).toMatchObject({ items: [{ unit: 'input', quantity: 3, credits: 3 }, { unit: 'output', quantity: 4, credits: 8 }] })
  })

  it('has no charge where the response told no usage', async () => {
    expect(await chargeOf(sold({ input: 1, output: 2 }), charging(undefined), 10)).toMatchObject({
      kind: 'broken', cause: { code: 'PRICE_INVALID', message: expect.stringContaining('stream_options.include_usage') as string },
    })
  })

  it.each([{ input: NaN, output: 1 }, { input: 1, output: -1 }, { input: -5, output: 5 }])('with a ceiling of $input and $output has no price', (ceiling) => {
    expect(priceOf(sold({ input: 1, output: 1 }, ceiling), context)).toMatchObject({ kind: 'broken' })
  })

  it('shows its rates as they are written', () => {
    expect(sold({ input: 1, output: 2, cachedInput: 0.5 }).rates).toEqual({ input: 1, output: 2, cachedInput: 0.5 })
  })
})

describe('the usage of a response that came to its end', () => {
  it('is what it told', () => {
    expect(toldUsage({ ...nothing, input: 9, output: 4, cachedInput: 2, cacheWrite: 1, final: true, deltas: 7 })).toEqual({ input: 9, output: 4, cachedInput: 2, cacheWrite: 1 })
  })

  it('has no output where only a prompt was told, as for embeddings', () => {
    expect(toldUsage({ ...nothing, input: 9, final: true })).toEqual(used({ input: 9 }))
  })

  it('is unknown where it told none, or only what it began with, or no input', () => {
    expect(toldUsage(nothing)).toBeUndefined()
    expect(toldUsage({ ...nothing, input: 9, output: 1, deltas: 3 })).toBeUndefined()
    expect(toldUsage({ ...nothing, output: 4, final: true })).toBeUndefined()
  })
})

describe('the usage of a response that broke off', () => {
  const ceiling = { input: 1_000, output: 100 }

  it('is what it told, where it came that far', () => {
    expect(soFar({ ...nothing, input: 9, output: 4, final: true, deltas: 7 }, ceiling)).toEqual(used({ input: 9, output: 4 }))
  })

  it('is the prompt it told and a token for each event with something in it', () => {
    expect(soFar({ ...nothing, input: 9, cachedInput: 5, output: 1, deltas: 7 }, ceiling)).toEqual(used({ input: 9, cachedInput: 5, output: 7 }))
    expect(soFar({ ...nothing, input: 9, output: 8, deltas: 7 }, ceiling)).toEqual(used({ input: 9, output: 8 }))
  })

  it('is the most the prompt can be where that was not told', () => {
    expect(soFar({ ...nothing, deltas: 3 }, ceiling)).toEqual(used({ input: 1_000, output: 3 }))
    expect(soFar({ ...nothing, output: 4, final: true, deltas: 7 }, ceiling)).toEqual(used({ input: 1_000, output: 4 }))
    expect(soFar(nothing, {})).toEqual(used({}))
  })
})
