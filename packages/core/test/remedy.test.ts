import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { metered } from '../src/billing/prices/metered.js'
import { remedyOf } from '../src/billing/admission/remedy.js'
import type { Route } from '../src/billing/prices/route.js'
import type { Insufficient } from '../src/ledger/commands.js'
import { tokenUsage } from '../src/billing/prices/token-usage.js'
import { openCall } from './open-call.js'

const short: Insufficient = { kind: 'insufficient', required: 9_000_000, now: 1_000, freesAt: 0, balance: 3_000_000, reserved: 0, available: 3_000_000 }

/** What is told to an account that has 3 credits. */
const remedy = (route: object, body: unknown, over: Partial<Insufficient> = {}) =>
  remedyOf({ ...short, ...over }, { product: 'p', price: 9, ...route } as Route, openCall().call, { account: 'ada', body, ceiling: 9_000_000, limits: { maxCeiling: Infinity, budgets: [] } })

it('to try again when credits in use come free, whatever else there is', async () => {
  expect(await remedy({}, { n: 9 }, { freesAt: 31_500 })).toEqual({ kind: 'retry', afterMs: 30_500 })
})

describe('to ask for less', () => {
  const domains = z.object({ domains: z.array(z.string()).min(1) })
  const search = metered({ body: domains, rates: { domain: 1 }, ceiling: ({ body }) => ({ domain: new Set(body.domains).size }) })

  it('of a list', async () => {
    expect(await remedy(search, { domains: ['a', 'b', 'c', 'd'] })).toEqual({ kind: 'reduce' })
  })

  it('of a number', async () => {
    const count = { body: z.object({ count: z.int().min(1) }), price: ({ body }: { body: { count: number } }) => 2 + body.count }
    expect(await remedy(count, { count: 9 })).toEqual({ kind: 'reduce' })
  })

  it('of a text', async () => {
    const letters = { body: z.object({ prompt: z.string().min(1) }), price: ({ body }: { body: { prompt: string } }) => body.prompt.length }
    expect(await remedy(letters, { prompt: 'a long prompt' })).toEqual({ kind: 'reduce' })
  })

  it('of all of them, deep inside', async () => {
    const chat = tokenUsage({
      body: z.object({ max_tokens: z.int().min(1), messages: z.array(z.object({ content: z.string().min(1) })).min(1) }),
      rates: { input: 1, output: 1 },
      ceiling: ({ body }) => ({ input: body.messages.reduce((sum, { content }) => sum + content.length, 0), output: body.max_tokens }),
    })
    const body = { max_tokens: 100, messages: [{ content: 'hello' }, { content: 'world' }] }
    expect(await remedy(chat, body)).toEqual({ kind: 'reduce' })
    expect(await remedy(chat, body, { available: 1_000_000 })).toEqual({ kind: 'top_up' })
  })

  it.each([
    ['the list', { list: z.array(z.string()).min(1), number: z.number().min(5), text: z.enum(['deep']) }, 1 + 5],
    ['the number', { list: z.array(z.string()).min(2), number: z.number().min(1), text: z.enum(['deep']) }, 2 + 1],
    ['the list and the number', { list: z.array(z.string()).min(1), number: z.number().min(1), text: z.enum(['deep']) }, 1 + 1],
  ])('of %s alone, where the rest can\'t be smaller', async (_, shape, least) => {
    const route = { body: z.object(shape), price: ({ body }: { body: { list: string[]; number: number } }) => body.list.length + body.number }
    const body = { list: ['a', 'b'], number: 5, text: 'deep' }
    expect(await remedy(route, body, { available: least * 1e6 })).toEqual({ kind: 'reduce' })
    expect(await remedy(route, body, { available: least * 1e6 - 1 })).toEqual({ kind: 'top_up' })
  })

  it('only where it would be admitted: to the last micro-credit', async () => {
    const one = { body: z.object({ n: z.number() }), price: ({ body }: { body: { n: number } }) => 2 + body.n }
    expect(await remedy(one, { n: 9 }, { available: 3_000_000 })).toEqual({ kind: 'reduce' })
    expect(await remedy(one, { n: 9 }, { available: 2_999_999 })).toEqual({ kind: 'top_up' })
  })
})

describe('to top up', () => {
  it('where the price is the same for everybody, or there is no body to make smaller', async () => {
    expect(await remedy({}, undefined)).toEqual({ kind: 'top_up' })
    expect(await remedy({ body: z.object({}) }, { n: 9 })).toEqual({ kind: 'top_up' })
    expect(await remedy({ body: z.number() }, 9)).toEqual({ kind: 'top_up' })
  })

  it('where the route takes nothing smaller', async () => {
    const atLeast = { body: z.object({ n: z.number().min(5) }), price: ({ body }: { body?: { n: number } }) => body?.n ?? 0 }
    expect(await remedy(atLeast, { n: 9 })).toEqual({ kind: 'top_up' })
    const pair = { body: z.object({ list: z.array(z.string()).min(2) }), price: ({ body }: { body: { list: string[] } }) => body.list.length }
    expect(await remedy(pair, { list: Array.from({ length: 9 }, String) })).toEqual({ kind: 'top_up' })
  })

  it('where its price throws on something smaller, or is none', async () => {
    const body = z.object({ plan: z.string() })
    const rates: Record<string, number> = { large: 9 }
    expect(await remedy({ body, price: ({ body }: { body: { plan: string } }) => { if (!rates[body.plan]) throw new Error('no such plan'); return 9 } }, { plan: 'large' })).toEqual({ kind: 'top_up' })
    expect(await remedy({ body, price: ({ body }: { body: { plan: string } }) => rates[body.plan] }, { plan: 'large' })).toEqual({ kind: 'top_up' })
  })

  it('where its schema throws on something smaller', async () => {
    const body = z.object({ url: z.string().transform((text) => new URL(text).href) })
    expect(await remedy({ body, price: () => 9 }, { url: 'https://a.example/' })).toEqual({ kind: 'top_up' })
  })
})
