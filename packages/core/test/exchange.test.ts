import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Query } from '../src/billing/prices/route.js'
import * as requests from './requests.js'
import { call } from './requests.js'

const prices = {
  'POST /run': { product: 'runs', price: 5 },
  'POST /other': { product: 'others', price: 3 },
  'POST /count': { product: 'counts', body: z.object({ n: z.number() }), price: ({ body }: { body: { n: number } }) => body.n },
  'POST /query': { product: 'queries', price: ({ query, params, header }: { query: Query; params: Readonly<Record<string, string>>; header(name: string): string | undefined }) => Number(query['n']) + Number(params['m']) + Number(header('x-n')) },
  'GET /free': 'free',
} as const

const setUp = (options: object = {}) => requests.setUp({ prices, ...options })

describe('entering routes', () => {
  it('reserves the price, and closing takes it', async () => {
    const { engine, standing, list } = setUp()
    const exchange = engine.exchange()
    expect(await exchange.enter(list('POST /run'), call(), false)).toBeUndefined()
    expect(exchange.billed).toBe(true)
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect(await exchange.close({ status: 200 })).toEqual({ headers: { 'Credits-Ceiling': '5', 'Credits-Charged': '5', 'Credits-Remaining': '5' } })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it('a second listed route takes the place of the first, which is given back', async () => {
    const { engine, standing, list } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    await exchange.enter(list('POST /other'), call(), false)
    expect(await standing()).toEqual({ balance: 10, reserved: 3 })
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('3')
  })

  it('a throw before the request was passed on does not make the second free', async () => {
    const { engine, list } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    exchange.threw()
    await exchange.enter(list('POST /other'), call(), false)
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('3')
  })

  it('what was sent before any route was reached makes no call free', async () => {
    const { engine, list, standing } = setUp({ unlisted: 'refuse' })
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), true)
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect(await engine.exchange().enter(undefined, call(), true)).toMatchObject({ status: 500 })
  })

  it('a route that is reached after a paid one has responded is not paid as well', async () => {
    const { engine, list, standing } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    await exchange.close({ status: 200 })
    await exchange.enter(list('POST /other'), call(), true)
    await exchange.close({ status: 200 })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it('an unlisted one that is reached after a listed one has responded is not refused', async () => {
    const { engine, list } = setUp({ unlisted: 'refuse' })
    const exchange = engine.exchange()
    await exchange.enter(list('GET /free'), call(), false)
    expect(await exchange.enter(undefined, call(), true)).toBeUndefined()
  })

  it('a free route takes the place of a paid one', async () => {
    const { engine, standing, list } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    await exchange.enter(list('GET /free'), call(), false)
    expect(exchange.billed).toBe(false)
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
  })

  it('but not once the first has responded', async () => {
    const { engine, list } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    expect(await exchange.enter(list('POST /other'), call(), true)).toBeUndefined()
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('5')
  })

  it('an unlisted one changes nothing', async () => {
    const { engine, list } = setUp({ unlisted: 'refuse' })
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    expect(await exchange.enter(undefined, call(), false)).toBeUndefined()
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('5')
  })

  it('an unlisted one alone runs free, or is refused where the options say so', async () => {
    expect(await setUp().engine.exchange().enter(undefined, call(), false)).toBeUndefined()
    const { engine, errors } = setUp({ unlisted: 'refuse' })
    expect(await engine.exchange().enter(undefined, call({ url: '/nowhere' }), false)).toMatchObject({ status: 500 })
    expect(errors).toEqual([expect.stringContaining('/nowhere')])
  })

  it('the price sees parameters, query and headers', async () => {
    const { engine, standing, list } = setUp()
    await engine.exchange().enter(list('POST /query'), call({ query: () => ({ n: '1' }), params: { m: '2' }, header: (name) => (name === 'x-n' ? '4' : undefined) }), false)
    expect(await standing()).toEqual({ balance: 10, reserved: 7 })
  })

  it('a body that can\'t be read is the caller\'s mistake', async () => {
    const { engine, list, standing } = setUp()
    const answer = await engine.exchange().enter(list('POST /count'), call({ read: { kind: 'unreadable', reason: 'no JSON' } }), false)
    expect(answer?.status).toBe(422)
    expect(answer?.body).toContain('no JSON')
    expect(await standing()).toEqual({ balance: 0, reserved: 0 })
  })
})

describe('closing', () => {
  it('happens once', async () => {
    const { engine, list, standing } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    await Promise.all([exchange.close({ status: 200 }), exchange.close({ status: 200 }), exchange.close({ status: 500 })])
    expect(await exchange.close({ status: 200 })).toEqual({ headers: {} })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it.each([400, 404, 499, 500, 503])('with status %s is free', async (status) => {
    const { engine, list, standing } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    expect((await exchange.close({ status })).headers['Credits-Charged']).toBe('0')
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
  })

  it.each([200, 201, 204, 301, 304, 399])('with status %s is charged', async (status) => {
    const { engine, list, standing } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    await exchange.close({ status })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it('after a throw is free, whatever is answered', async () => {
    const { engine, list, standing } = setUp()
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    exchange.threw()
    await exchange.close({ status: 200 })
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
  })

  it('a charge that is broken takes the price and is logged; it never rejects', async () => {
    const response = z.unknown().transform(() => { throw new Error('no') })
    const { engine, list, errors } = setUp({ prices: { 'POST /run': { product: 'runs', price: 5, response, charge: () => 1 } } })
    const exchange = engine.exchange()
    await exchange.enter(list('POST /run'), call(), false)
    expect((await exchange.close({ status: 200, json: '{}' })).headers['Credits-Charged']).toBe('5')
    expect(errors).toHaveLength(1)
  })
})

describe('what is held back', () => {
  const head = { status: 200, contentType: undefined, contentEncoding: undefined, whole: false }
  it.each([
    ['a whole body', { whole: true }, true],
    ['a failure', { status: 404 }, true],
    ['JSON', { contentType: 'application/json; charset=utf-8' }, true],
    ['JSON of a kind', { contentType: 'application/vnd.api+json' }, true],
    ['encoded JSON', { contentType: 'application/json', contentEncoding: 'gzip' }, false],
    ['JSON encoded as itself', { contentType: 'application/json', contentEncoding: 'identity' }, true],
    ['lines of JSON', { contentType: 'application/jsonl' }, false],
    ['a stream of events', { contentType: 'text/event-stream' }, false],
    ['no type', {}, false],
  ])('%s: %j', async (_, over, held) => {
    const { engine, list } = setUp()
    const exchange = engine.exchange()
    expect(exchange.holds({ ...head, ...over })).toBe(false)
    await exchange.enter(list('POST /run'), call(), false)
    expect(exchange.holds({ ...head, ...over })).toBe(held)
  })
})

it('a store that forgets is warned of once, in production only', () => {
  vi.stubEnv('NODE_ENV', 'production')
  expect(setUp().warnings).toEqual([expect.stringContaining('forgets every balance')])
  vi.stubEnv('NODE_ENV', 'development')
  expect(setUp().warnings).toEqual([])
  vi.unstubAllEnvs()
})
