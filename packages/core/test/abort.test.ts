import { describe, expect, it } from 'vitest'
import { tokenUsage } from '../src/billing/prices/token-usage.js'
import { setUp } from './requests.js'

const chat = (ceiling: () => { input: number; output: number }) => ({ product: 'chat', ...tokenUsage({ rates: { input: 0.01, output: 0.1 }, ceiling }) })
let throws = false

const prices = {
  'POST /plain': { product: 'plain', price: 5, charge: () => 2 },
  'POST /ceiling': { product: 'plain', price: 5, charge: () => 2, onAbort: 'ceiling' },
  'POST /release': { product: 'plain', price: 5, charge: () => 2, onAbort: 'release' },
  'POST /chat': chat(() => ({ input: 100, output: 50 })),
  'POST /moody': chat(() => {
    if (throws) throw new Error('no')
    return { input: 100, output: 50 }
  }),
} as const

const EVENT_STREAM = { status: 200, contentType: 'text/event-stream', contentEncoding: undefined, canTrail: true, canGrow: true, length: NaN }

async function leftAt(key: string, status: number, begun: boolean, threw = false) {
  const at = setUp({ prices })
  const { exchange } = await at.enter(key)
  if (threw) exchange.threw()
  await exchange.abort(status, begun)
  return { ...at, exchange }
}

describe('a client that leaves', () => {
  it('before a byte has left, changes nothing: what comes of the call is what counts', async () => {
    const { exchange, standing } = await leftAt('POST /plain', 200, false)
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect((await exchange.close({ status: 200 })).headers['Credits-Charged']).toBe('2')
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
  })

  it('while the response leaves, pays what it cost by then', async () => {
    const { standing, names } = await leftAt('POST /plain', 200, true)
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
    expect(names()).toEqual(['admitted', 'settled'])
  })

  it.each([[true], [false]])('pays the ceiling where the route says so (begun: %s)', async (begun) => {
    expect(await (await leftAt('POST /ceiling', 200, begun)).standing()).toEqual({ balance: 5, reserved: 0 })
  })

  it.each([[true], [false]])('pays nothing where the route says so (begun: %s)', async (begun) => {
    const { standing, names } = await leftAt('POST /release', 200, begun)
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
    expect(names()).toEqual(['admitted', 'released'])
  })

  it.each(['POST /plain', 'POST /ceiling'])('of a call that has failed pays nothing: %s', async (key) => {
    expect(await (await leftAt(key, 500, true)).standing()).toEqual({ balance: 10, reserved: 0 })
    expect(await (await leftAt(key, 200, true, true)).standing()).toEqual({ balance: 10, reserved: 0 })
  })

  it('ends the call once, whatever the handler answers to nobody', async () => {
    for (const key of ['POST /ceiling', 'POST /release']) {
      const { exchange, names } = await leftAt(key, 200, false)
      expect(await exchange.close({ status: 200 })).toEqual({ headers: {} })
      expect(await exchange.end(200)).toEqual({ trailers: {} })
      await exchange.abort(200, true)
      expect(names()).toHaveLength(2)
    }
  })

  it('where there is no call changes nothing', async () => {
    const { engine, told } = setUp({ prices })
    await engine.exchange().abort(200, true)
    expect(told).toEqual([])
  })
})

describe('a response of events that was sent whole', () => {
  it('is paid by the tokens that it tells of', async () => {
    const { enter, standing } = setUp({ prices })
    const { exchange } = await enter('POST /chat')
    const body = 'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20}}\n\n'
    await exchange.close({ status: 200, whole: () => ({ headers: { 'content-type': 'text/event-stream' }, body }) })
    expect(await standing()).toEqual({ balance: 10 - (10 * 0.01 + 20 * 0.1), reserved: 0 })
  })
})

describe('a stream that breaks off', () => {
  const chunk = (text: string) => new TextEncoder().encode(`data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`)

  it('is paid by what it has told: all of the prompt and each piece that was sent', async () => {
    const { enter, standing } = setUp({ prices })
    const { exchange } = await enter('POST /chat')
    exchange.stream(EVENT_STREAM)
    for (const text of ['a', 'b', 'c']) exchange.passed(chunk(text))
    await exchange.abort(200, true)
    expect(await standing()).toEqual({ balance: 10 - (100 * 0.01 + 3 * 0.1), reserved: 0 })
  })

  it.each(['release', 'ceiling'] as const)('by a client that has all of the length that was told has not broken off: %s', async (onAbort) => {
    const { enter, standing } = setUp({ prices: { 'POST /file': { product: 'file', price: 5, charge: () => 2, onAbort } } })
    for (const [length, left] of [[3, 8], [4, onAbort === 'release' ? 8 : 3]] as const) {
      const { exchange } = await enter('POST /file')
      exchange.stream({ ...EVENT_STREAM, contentType: 'text/csv', canGrow: false, canTrail: false, length })
      exchange.passed(new Uint8Array(3))
      await exchange.abort(200, true)
      expect(await standing()).toEqual({ balance: left, reserved: 0 })
    }
  })

  it.each([
    ['compressed', { ...EVENT_STREAM, contentEncoding: 'gzip' }],
    ['of another type', { ...EVENT_STREAM, contentType: 'application/x-ndjson' }],
    ['a JSON document', { ...EVENT_STREAM, contentType: 'application/json' }],
  ])('is paid in full where what was generated does not show: %s', async (_, head) => {
    const { enter, standing } = setUp({ prices })
    const { exchange } = await enter('POST /chat')
    exchange.stream(head)
    exchange.passed(chunk('a'))
    await exchange.abort(200, true)
    expect(await standing()).toEqual({ balance: 4, reserved: 0 })
  })

  it('is paid in full where its most can\'t be told any more; it never rejects and holds nothing', async () => {
    const { enter, standing, errors } = setUp({ prices })
    throws = false
    const { exchange } = await enter('POST /moody')
    exchange.stream(EVENT_STREAM)
    throws = true
    await exchange.abort(200, true)
    expect(await standing()).toEqual({ balance: 4, reserved: 0 })
    expect(errors).toHaveLength(1)
  })
})
