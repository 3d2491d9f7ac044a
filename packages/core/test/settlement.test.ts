import { afterEach, describe, expect, it, vi } from 'vitest'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'

let id: unknown = 'op1'
const prices = {
  'POST /begin': { product: 'research', price: 5, charge: () => 1, metering: true, operation: () => id as string },
  'POST /named': { product: 'research', price: 5, operation: ({ response }: { response: { body: unknown } }) => (response.body as { id: string }).id },
  'POST /plain': { product: 'plain', price: 5, charge: () => 1 },
}
const accepted = { status: 202, json: '{"a":1}' }

afterEach(() => {
  vi.useRealTimers()
  id = 'op1'
})

describe('a call that began an operation', () => {
  it('is not charged yet: it keeps its credits and says that it goes on', async () => {
    const { enter, standing, names, store } = setUp({ prices })
    const { exchange } = await enter('POST /begin')
    expect(await exchange.close(accepted)).toEqual({
      headers: { 'Credits-Ceiling': '5', 'Credits-Remaining': '5' },
      json: '{"a":1,"metering":{"creditsCharged":0,"estimatedMaxCredits":5,"pending":true}}',
    })
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect(names()).toEqual(['admitted'])
    expect(await store.send({ kind: 'operation', account: 'ada', operation: 'op1' })).toMatchObject({ status: 'pending', product: 'research' })
  })

  it('is named by what it answered', async () => {
    const { enter, store } = setUp({ prices })
    const { exchange } = await enter('POST /named')
    await exchange.close({ status: 202, json: '{"id":"op7"}' })
    expect(await store.send({ kind: 'operation', account: 'ada', operation: 'op7' })).toMatchObject({ status: 'pending' })
  })

  it('is finished through the same billing, and charged once', async () => {
    const { enter, engine, standing, names } = setUp({ prices })
    const { exchange } = await enter('POST /begin')
    await exchange.close(accepted)
    expect(await engine.billing.operations.succeed('op1', { charge: 2 })).toMatchObject({ kind: 'succeeded', charge: 2 })
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
    expect(names()).toEqual(['admitted', 'settled'])
  })

  it('is kept while the store is lost, and pending all the same', async () => {
    vi.useFakeTimers()
    const inner = memoryStore()
    let lost = false
    const store: Store = { ...inner, send: (command) => (lost ? Promise.reject(new Error('lost')) : inner.send(command)) }
    const { enter, standing } = setUp({ prices }, store)
    const { exchange } = await enter('POST /begin')
    lost = true
    expect(await exchange.close(accepted)).toEqual({
      headers: { 'Credits-Ceiling': '5' }, json: '{"a":1,"metering":{"creditsCharged":0,"estimatedMaxCredits":5,"pending":true}}',
    })
    lost = false
    await vi.advanceTimersByTimeAsync(100)
    expect(await inner.send({ kind: 'operation', account: 'ada', operation: 'op1' })).toMatchObject({ status: 'pending' })
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
  })
})

describe('a 202 that names no operation of its own', () => {
  it('is charged its price, and logged, where the operation is another call\'s', async () => {
    const { enter, standing, errors, store } = setUp({ prices })
    const [first, second] = [await enter('POST /begin'), await enter('POST /begin')]
    await first.exchange.close(accepted)
    expect(await second.exchange.close(accepted)).toMatchObject({ headers: { 'Credits-Charged': '5', 'Credits-Remaining': '0' } })
    expect(await standing()).toEqual({ balance: 5, reserved: 5 })
    expect(errors).toEqual([expect.stringContaining('"op1", which is another call\'s')])
    expect(await store.send({ kind: 'operation', account: 'ada', operation: 'op1' })).toMatchObject({ status: 'pending', charge: 0 })
  })

  it.each([['nothing', undefined], ['an empty text', ''], ['a number', 5], ['half a character', '\ud800'], ['257 characters', 'x'.repeat(257)]])('is charged its price, and logged, where it names %s', async (_, named) => {
    id = named
    const { enter, standing, errors } = setUp({ prices })
    const { exchange } = await enter('POST /begin')
    await exchange.close(accepted)
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
    expect(errors).toEqual([expect.stringContaining('POST /begin answered 202')])
  })

  it('is charged its price, and logged, where naming it throws', async () => {
    const { enter, standing, errors } = setUp({ prices })
    const { exchange } = await enter('POST /named')
    await exchange.close({ status: 202, json: 'null' })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
    expect(errors).toEqual([expect.stringContaining('operation threw')])
  })

  it('is a success like any other where the route has none, and another status where it has', async () => {
    const { enter, standing } = setUp({ prices })
    await (await enter('POST /plain')).exchange.close(accepted)
    await (await enter('POST /begin')).exchange.close({ status: 200 })
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
  })
})

it('a charge that the store does not confirm is told as pending, then posted', async () => {
  vi.useFakeTimers()
  const inner = memoryStore()
  let lost = false
  const { store } = scriptedStore((command) => (lost ? Promise.reject(new Error('lost')) : inner.send(command)))
  const { enter, told, standing } = setUp({ prices }, store)
  const { exchange } = await enter('POST /plain')
  lost = true
  expect(await exchange.close({ status: 200 })).toEqual({ headers: { 'Credits-Ceiling': '5', 'Credits-Charged': '1' } })
  expect(told.at(-1)).toMatchObject({ name: 'settled', charge: 1, pending: true })
  lost = false
  await vi.advanceTimersByTimeAsync(100)
  expect(await standing()).toEqual({ balance: 9, reserved: 0 })
})

describe('an idempotency key', () => {
  const keyed = (body: unknown = {}) => call({ headers: { 'idempotency-key': 'k' }, read: { kind: 'parsed', value: body } })
  const whole = () => ({ headers: { 'content-type': 'application/json', 'set-cookie': 'a=1' }, body: '{"a":1}' })

  it('answers what its call answered, with what it cost, and charges nothing more', async () => {
    const { enter, standing, names } = setUp({ prices })
    await (await enter('POST /plain', keyed())).exchange.close({ status: 201, json: '{"a":1}', whole })
    const { exchange, answer } = await enter('POST /plain', keyed())
    expect(answer).toEqual({
      status: 201, body: '{"a":1}',
      headers: { 'content-type': 'application/json', 'Credits-Ceiling': '5', 'Credits-Charged': '1', 'Credits-Remaining': '9', 'Idempotent-Replayed': 'true' },
    })
    expect(exchange.billed).toBe(false)
    expect(await standing()).toEqual({ balance: 9, reserved: 0 })
    expect(names()).toEqual(['admitted', 'settled'])
  })

  it('of a call that streamed or could not be kept says so, and charges nothing more', async () => {
    const { enter, standing } = setUp({ prices })
    const { exchange } = await enter('POST /plain', keyed())
    exchange.stream({ status: 200, contentType: 'text/plain', contentEncoding: undefined, canTrail: false, canGrow: false, length: NaN })
    await exchange.end(200)
    const { answer } = await enter('POST /plain', keyed())
    expect(answer).toMatchObject({ status: 409, body: expect.stringContaining('IDEMPOTENCY_RESULT_UNAVAILABLE') as string })
    expect(await standing()).toEqual({ balance: 9, reserved: 0 })
  })

  it('is in use while its call runs, and belongs to its payload', async () => {
    const { enter } = setUp({ prices })
    const { exchange } = await enter('POST /plain', keyed())
    expect((await enter('POST /plain', keyed())).answer).toMatchObject({ status: 409, headers: { 'Retry-After': '1' }, body: expect.stringContaining('IDEMPOTENCY_IN_PROGRESS') as string })
    expect((await enter('POST /plain', keyed({ other: 1 }))).answer).toMatchObject({ status: 422, body: expect.stringContaining('IDEMPOTENCY_MISMATCH') as string })
    expect((await enter('POST /begin', keyed())).answer).toBeUndefined()
    await exchange.close({ status: 200, whole })
    expect((await enter('POST /plain', keyed({ other: 1 }))).answer).toMatchObject({ status: 422 })
  })

  it.each([
    ['failed', 500],
    ['was released', 404],
  ])('of a call that %s is free again', async (_, status) => {
    const { enter } = setUp({ prices })
    await (await enter('POST /plain', keyed())).exchange.close({ status, whole })
    expect((await enter('POST /plain', keyed({ other: 1 }))).answer).toBeUndefined()
  })

  it('of an operation answers its 202 while it goes on, and what it cost once it is done', async () => {
    const { enter, engine } = setUp({ prices })
    await (await enter('POST /begin', keyed())).exchange.close({ ...accepted, whole })
    expect((await enter('POST /begin', keyed())).answer).toMatchObject({ status: 202, body: '{"a":1,"metering":{"creditsCharged":0,"estimatedMaxCredits":5,"pending":true}}' })
    await engine.billing.operations.succeed('op1', { charge: 2 })
    const { answer } = await enter('POST /begin', keyed())
    expect(answer).toMatchObject({ status: 202, headers: { 'Credits-Charged': '2' }, body: '{"a":1,"metering":{"creditsCharged":2,"estimatedMaxCredits":5}}' })
  })

  it('is refused with 422 by the name of its header where it is none', async () => {
    const { enter, standing } = setUp({ prices })
    const { answer } = await enter('POST /plain', call({ headers: { 'idempotency-key': '' } }))
    expect(answer).toMatchObject({ status: 422, body: expect.stringContaining('"field":"Idempotency-Key"') as string })
    expect(await standing()).toEqual({ balance: 0, reserved: 0 })
  })
})

