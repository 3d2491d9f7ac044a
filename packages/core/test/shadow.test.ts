import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Call } from '../src/billing/call/call.js'
import { memoryStore } from '../src/store/memory.js'
import { scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'

const prices = {
  'POST /run': { product: 'runs', price: 5 },
  'POST /dear': { product: 'dear', price: 11 },
  'POST /huge': { product: 'huge', price: 100 },
  'POST /broken': { product: 'broken', price: () => NaN },
  'POST /count': { product: 'counts', body: z.object({ n: z.number() }), price: 1 },
  'POST /schema': { product: 'schemas', body: z.unknown().transform(() => { throw new Error('no') }), price: 1 },
}
const watching = (store = memoryStore()) => setUp({ prices, enforce: false, maxCeiling: 50, unlisted: 'refuse' }, store)
const lost = () => scriptedStore(() => Promise.reject(new Error('lost'))).store

describe('while billing only watches', () => {
  const would: [code: string, key: string, request: Call, store?: typeof lost][] = [
    ['UNAUTHENTICATED', 'POST /run', call({ request: { account: undefined } })],
    ['PAYMENT_REQUIRED', 'POST /dear', call()],
    ['CEILING_TOO_HIGH', 'POST /huge', call()],
    ['INVALID_REQUEST', 'POST /count', call({ read: { kind: 'parsed', value: { n: 'x' } } })],
    ['PRICE_INVALID', 'POST /broken', call()],
    ['PRICE_INVALID', 'POST /schema', call()],
    ['BILLING_UNAVAILABLE', 'POST /run', call(), lost],
  ]

  it.each(would)('what would be %s at %s runs, and is counted and told', async (code, key, request, store) => {
    const { enter, engine, told } = watching(store?.())
    const { exchange, answer } = await enter(key, request)
    expect(answer).toBeUndefined()
    expect(exchange.billed).toBe(false)
    expect(exchange.run(() => 'handled')).toBe('handled')
    expect(await exchange.close({ status: 200 })).toEqual({ headers: {} })
    expect(engine.billing.refusals()).toEqual({ [code]: 1 })
    expect(told).toEqual([{ name: 'refused', route: key, code, enforced: false }])
  })

  it('what is not in the price book runs, although it would be refused', async () => {
    const { engine, told, errors } = watching()
    expect(await engine.exchange().enter(undefined, call({ url: '/x' }), false)).toBeUndefined()
    expect(engine.billing.refusals()).toEqual({ PRICE_INVALID: 1 })
    expect(told).toEqual([{ name: 'unlisted', url: '/x', refused: false }, { name: 'refused', route: '/x', code: 'PRICE_INVALID', enforced: false }])
    expect(errors).toEqual([expect.stringContaining('would have refused /x')])
  })

  it('what is admitted is reserved and settled as ever', async () => {
    const { enter, standing, names } = watching()
    const { exchange } = await enter('POST /run')
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('5')
    expect(names()).toEqual(['admitted', 'settled'])
  })

  it('an idempotency key is held against nobody: the same call runs again, and is paid again', async () => {
    const { enter, standing, engine } = watching()
    const keyed = () => call({ headers: { 'idempotency-key': 'k' } })
    const [first, second] = [await enter('POST /run', keyed()), await enter('POST /run', keyed())]
    expect([first.answer, second.answer]).toEqual([undefined, undefined])
    await Promise.all([first.exchange.close({ status: 200 }), second.exchange.close({ status: 200 })])
    expect(await standing()).toEqual({ balance: 0, reserved: 0 })
    expect((await enter('POST /run', call({ headers: { 'idempotency-key': '' } }))).answer).toBeUndefined()
    expect(engine.billing.refusals()).toEqual({ PAYMENT_REQUIRED: 1 })
  })
})

it('while it enforces, refusals are counted by their code', async () => {
  const { enter, engine, told } = setUp({ prices })
  for (let i = 0; i < 2; i++) expect((await enter('POST /dear')).answer).toMatchObject({ status: 402 })
  expect((await enter('POST /schema')).answer).toMatchObject({ status: 500 })
  const { exchange } = await enter('POST /run', call({ headers: { 'idempotency-key': 'k' } }))
  expect((await enter('POST /run', call({ headers: { 'idempotency-key': 'k' } }))).answer).toMatchObject({ status: 409 })
  await exchange.close({ status: 200 })
  expect(engine.billing.refusals()).toEqual({ PAYMENT_REQUIRED: 2, PRICE_INVALID: 1, IDEMPOTENCY_IN_PROGRESS: 1 })
  expect(told.filter(({ name }) => name === 'refused').every(({ enforced }) => enforced === true)).toBe(true)
})
