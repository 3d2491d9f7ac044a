import { afterEach, describe, expect, it, vi } from 'vitest'
import { limitsOf } from '../src/billing/admission/limits.js'
import type { BillingOptions } from '../src/billing/options.js'
import { memoryStore } from '../src/store/memory.js'
import { scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'

type Limits = Pick<BillingOptions<object>, 'maxCeiling' | 'maxPerDay' | 'budgets'>

const budget = { scope: 'key:a', limit: 5, window: 'day' } as const
const limits = async (options: Limits, request: object = {}) => {
  const read = await limitsOf(options as never, request)
  if (read.kind === 'broken') throw new Error(read.reason)
  return read.limits
}

describe('the limits of a request', () => {
  it('are none where nothing is said', async () => {
    expect(await limits({})).toEqual({ maxCeiling: Infinity, budgets: [] })
    expect(await limits({ maxCeiling: () => undefined, maxPerDay: async () => undefined, budgets: () => [] })).toEqual({ maxCeiling: Infinity, budgets: [] })
  })

  it.each<[string, Limits]>([
    ['numbers', { maxCeiling: 0.5, maxPerDay: 7 }],
    ['functions', { maxCeiling: () => 0.5, maxPerDay: () => 7 }],
    ['async functions', { maxCeiling: async () => 0.5, maxPerDay: async () => 7 }],
  ])('are %s, in micro-credits; that of a day is a budget of the account', async (_, options) => {
    expect(await limits(options)).toEqual({ maxCeiling: 500_000, budgets: [{ scope: 'account', window: 'day', limit: 7_000_000 }] })
  })

  it('are asked of the request', async () => {
    const plan = { most: 2, day: 3, key: 'k' }
    const options = { maxCeiling: (of: object) => (of as typeof plan).most, maxPerDay: (of: object) => (of as typeof plan).day, budgets: async (of: object) => [{ ...budget, scope: (of as typeof plan).key }] }
    expect(await limits(options, plan)).toEqual({
      maxCeiling: 2_000_000, budgets: [{ scope: 'account', window: 'day', limit: 3_000_000 }, { scope: 'k', window: 'day', limit: 5_000_000 }],
    })
  })

  it('may be 0: nothing at all', async () => {
    expect(await limits({ maxCeiling: 0, maxPerDay: 0, budgets: () => [{ ...budget, limit: 0 }] })).toEqual({
      maxCeiling: 0, budgets: [{ scope: 'account', window: 'day', limit: 0 }, { scope: 'key:a', window: 'day', limit: 0 }],
    })
  })

  it('are the lowest of each scope and window, whichever comes first', async () => {
    const budgets = () => [{ ...budget, limit: 3 }, { ...budget, limit: 2 }, { ...budget, limit: 4 }, { ...budget, window: 'month', limit: 9 } as const, { ...budget, window: 'total', limit: 8 } as const, { ...budget, scope: 'account', limit: 1 }]
    expect((await limits({ maxPerDay: 6, budgets })).budgets).toEqual([
      { scope: 'account', window: 'day', limit: 1_000_000 }, { scope: 'key:a', window: 'day', limit: 2_000_000 },
      { scope: 'key:a', window: 'month', limit: 9_000_000 }, { scope: 'key:a', window: 'total', limit: 8_000_000 },
    ])
    expect((await limits({ maxPerDay: 1, budgets: () => [{ ...budget, scope: 'account' }] })).budgets).toEqual([{ scope: 'account', window: 'day', limit: 1_000_000 }])
  })
})

const amount = 'expected credits from 0 to 9007199254.740992'
const no = () => { throw new Error('no') }
const broken: [what: string, options: object, logged: string][] = [
  ...[null, NaN, -1, Infinity, 1e10, '5', {}, true].flatMap((value): typeof broken => [
    [`maxCeiling ${String(value)}`, { maxCeiling: () => value }, `maxCeiling: ${amount}, got ${String(value)}`],
    [`maxPerDay ${String(value)}`, { maxPerDay: async () => value }, `maxPerDay: ${amount}, got ${String(value)}`],
    [`a limit of ${String(value)}`, { budgets: () => [budget, { ...budget, limit: value }] }, `budgets[1].limit: ${amount}, got ${String(value)}`],
  ]),
  ['no limit', { budgets: () => [{ scope: 'a', window: 'day' }] }, `budgets[0].limit: ${amount}, got undefined`],
  ...[undefined, null, {}, 'none', 5].flatMap((list): typeof broken => [
    [`budgets that are ${String(list)}`, { budgets: () => list }, 'budgets: expected a list, got '],
    [`budgets that come as ${String(list)}`, { budgets: async () => list }, 'budgets: expected a list, got '],
  ]),
  ...[undefined, null, '', 5, 'x'.repeat(257), '\ud800'].map((scope): typeof broken[number] =>
    [`a scope ${String(scope).slice(0, 9)}`, { budgets: () => [{ ...budget, scope }] }, 'budgets[0].scope: expected a text of 1 to 256 characters, got ']),
  ...[undefined, 'week', '', 'Day', 1].map((window): typeof broken[number] =>
    [`a window ${String(window)}`, { budgets: () => [budget, budget, { ...budget, window }] }, `budgets[2].window: expected "day", "month" or "total", got ${String(window)}`]),
  ...[null, undefined, 5, 'key'].map((entry): typeof broken[number] => [`a budget that is ${String(entry)}`, { budgets: () => [entry] }, 'budgets[0].scope: ']),
  ['maxCeiling that throws', { maxCeiling: no }, 'a limit threw'],
  ['maxPerDay that rejects', { maxPerDay: async () => no() }, 'a limit threw'],
  ['budgets that throw', { budgets: no }, 'a limit threw'],
  ['budgets that reject', { budgets: async () => no() }, 'a limit threw'],
]

describe('what can\'t be understood is a fault, never a call without limits', () => {
  it.each(broken)('%s', async (_, options, logged) => {
    const { store, sent } = scriptedStore(() => Promise.reject(new Error('not asked')))
    const { enter, engine, errors } = setUp({ prices: { 'POST /run': { product: 'runs', price: 1 } }, ...options }, store)
    const { answer, exchange } = await enter('POST /run')
    expect(answer).toMatchObject({ status: 500, headers: { 'Credits-Charged': '0' } })
    expect(JSON.parse(answer!.body as string)).toMatchObject({ error: { code: 'PRICE_INVALID', details: { route: 'POST /run' } } })
    expect(exchange.billed).toBe(false)
    expect(sent).toEqual([])
    expect(errors).toEqual([expect.stringContaining(`farebox: POST /run has no valid price: ${logged}`)])
    expect(engine.billing.refusals()).toEqual({ PRICE_INVALID: 1 })
  })

  it('says in the log what was thrown', async () => {
    const error = vi.fn()
    const { enter } = setUp({ prices: { 'POST /run': { product: 'runs', price: 1 } }, budgets: no, logger: { warn: () => {}, error } })
    await enter('POST /run')
    expect(error).toHaveBeenCalledWith(expect.any(String), new Error('no'))
  })
})

describe('limits that break together', () => {
  const unhandled = vi.fn()
  afterEach(() => void process.off('unhandledRejection', unhandled))

  it('leave no promise that nobody looks at: it would end the process', async () => {
    process.on('unhandledRejection', unhandled)
    expect(await limitsOf({ maxCeiling: async () => no(), maxPerDay: async () => no(), budgets: no } as never, {})).toMatchObject({ kind: 'broken', reason: 'a limit threw' })
    await new Promise((resolve) => { setImmediate(resolve) })
    expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('the most a call may cost', () => {
  const most = (maxCeiling: number) => setUp({ prices: { 'POST /run': { product: 'runs', price: 5 } }, maxCeiling: () => maxCeiling })

  it('is allowed itself', async () => {
    const { enter, standing } = most(5)
    expect((await enter('POST /run')).answer).toBeUndefined()
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
  })

  it('is 403 for a micro-credit more, before anything is reserved or the account gets its allowance', async () => {
    const { enter, standing } = most(4.999999)
    const { answer } = await enter('POST /run')
    expect(answer?.status).toBe(403)
    expect(JSON.parse(answer!.body as string)).toMatchObject({ error: { code: 'CEILING_TOO_HIGH', details: { required: 5, maxCeiling: 4.999999 } } })
    expect(await standing()).toEqual({ balance: 0, reserved: 0 })
  })
})

describe('a call that its budgets can\'t cover', () => {
  const start = Date.UTC(2026, 2, 31, 23)
  const refused = async (options: object, key = 'POST /run') => {
    const at = setUp({ prices: { 'POST /run': { product: 'runs', price: 5 }, 'POST /small': { product: 'small', price: 1 } }, ...options }, memoryStore({ now: () => start }))
    const settled = await at.enter('POST /small')
    await settled.exchange.close({ status: 200 })
    for (let i = 0; i < 2; i++) await at.enter('POST /small')
    const { answer, exchange } = await at.enter(key, call())
    expect(exchange.billed).toBe(false)
    return { status: answer!.status, headers: answer!.headers, ...(JSON.parse(answer!.body as string) as { error: object }).error }
  }

  it.each([
    ['day', '2026-04-01T00:00:00.000Z', '3600'],
    ['month', '2026-04-01T00:00:00.000Z', '3600'],
    ['total', undefined, undefined],
  ])('is a 402 that names the one of a %s that said no, how it stands and when that ends', async (window, resetsAt, retryAfter) => {
    expect(await refused({ budgets: () => [{ scope: 'wide', limit: 100, window: 'day' }, { scope: 'key:a', limit: 5.5, window }] })).toEqual({
      status: 402, code: 'PAYMENT_REQUIRED', message: 'insufficient credits',
      details: { required: 5, available: 7, reserved: 2, remedy: 'raise_limit', budget: { scope: 'key:a', window, limit: 5.5, spent: 1, held: 2, ...(resetsAt && { resetsAt }) } },
      headers: expect.objectContaining({ 'Credits-Charged': '0', 'Credits-Ceiling': '5', 'Credits-Remaining': '7', ...(retryAfter && { 'Retry-After': retryAfter }) }) as object,
    })
    const { headers } = await refused({ budgets: () => [{ scope: 'key:a', limit: 5.5, window }] })
    expect('Retry-After' in headers).toBe(retryAfter !== undefined)
  })

  it('the account\'s own limit a day is the scope "account"', async () => {
    expect(await refused({ maxPerDay: 6 })).toMatchObject({ status: 402, details: { budget: { scope: 'account', window: 'day', limit: 6, spent: 1, held: 2 }, remedy: 'retry' }, headers: { 'Retry-After': '1' } })
  })
})

it('a call that is charged late counts in its budgets all the same', async () => {
  let now = Date.UTC(2026, 2, 3)
  const { enter, store } = setUp({ prices: { 'POST /run': { product: 'runs', price: 5 } }, maxPerDay: 6 }, memoryStore({ now: () => now }))
  const { exchange } = await enter('POST /run')
  now += 60_000
  const used = async () => (await store.send({ kind: 'balance', account: 'ada', budgets: [{ scope: 'account', window: 'day' }] })).budgets
  expect(await used()).toEqual([{ spent: 0, held: 0 }])
  await exchange.close({ status: 200 })
  expect(await used()).toEqual([{ spent: 5e6, held: 0 }])
  expect((await enter('POST /run')).answer).toMatchObject({ status: 402 })
})

describe('the allowance of a reserve', () => {
  it.each<[string, object, object]>([
    ['once', { allowance: 0.5 }, { allowance: 500_000 }],
    ['again and again', { allowance: { credits: 5, every: 'month' } }, { allowance: 5_000_000, recurrence: { every: 'month', rollover: 0 } }],
    ['with a part of what is left', { allowance: { credits: 5, every: 'day', rollover: 0.25 } }, { allowance: 5_000_000, recurrence: { every: 'day', rollover: 250_000 } }],
  ])('%s, in micro-credits', async (_, options, reserve) => {
    const { store, sent } = scriptedStore(() => Promise.reject(new Error('lost')))
    await setUp({ prices: { 'POST /run': { product: 'runs', price: 1 } }, ...options }, store).enter('POST /run')
    const [{ command }] = sent as [typeof sent[number]]
    const { allowance, recurrence } = command as Extract<typeof command, { kind: 'reserve' }>
    expect({ allowance, ...(recurrence && { recurrence }) }).toEqual(reserve)
    expect(command).not.toHaveProperty('budgets')
  })
})
