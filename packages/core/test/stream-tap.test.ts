import { describe, expect, it } from 'vitest'
import type { StreamHead } from '../src/http/stream-tap.js'
import { StreamTap } from '../src/http/stream-tap.js'
import { tokenUsage } from '../src/billing/prices/token-usage.js'
import { openCall } from './open-call.js'

const head: StreamHead = { status: 200, contentType: 'text/event-stream', contentEncoding: undefined, canTrail: true, canGrow: true, length: NaN }
const receipt = { charge: 1_500_000, ceiling: 5_000_000, items: [], available: 0, pending: false, operation: false }

function tap({ te, metering = false, ...over }: Partial<StreamHead> & { te?: string; metering?: boolean } = {}, route: object = {}) {
  const base = openCall()
  const call = { ...base.call, header: (name: string) => (name === 'te' ? te : undefined) }
  return new StreamTap(openCall({ call, route: { product: 'runs', price: 5, metering, ...route } }), { ...head, ...over })
}

describe('the charge as a trailer', () => {
  it.each(['trailers', 'TRAILERS', 'deflate, trailers', 'trailers;q=0.5, gzip', ' trailers '])('is announced and sent to a client that says TE: %s', (te) => {
    expect(tap({ te }).headers).toEqual({ 'Credits-Ceiling': '5', Trailer: 'Credits-Charged' })
    expect(tap({ te }).end(receipt)).toEqual({ trailers: { 'Credits-Charged': '1.5' } })
  })

  it.each([undefined, '', 'gzip', 'xtrailers', 'trailersx', 'no trailers'])('is neither to one that says TE: %s', (te) => {
    expect(tap(te === undefined ? {} : { te }).headers).toEqual({ 'Credits-Ceiling': '5' })
    expect(tap(te === undefined ? {} : { te }).end(receipt)).toEqual({ trailers: {} })
  })

  it('is not promised where the connection can\'t carry it', () => {
    expect(tap({ te: 'trailers', canTrail: false }).headers).toEqual({ 'Credits-Ceiling': '5' })
  })

  it('is not said of an operation: what that costs is not known yet', () => {
    expect(tap({ te: 'trailers' }).end({ ...receipt, charge: 0, pending: true, operation: true })).toEqual({ trailers: {} })
  })
})

describe('the charge as a last event', () => {
  it('is written behind the stream where the route asks', () => {
    expect(tap({ metering: true }).end(receipt)).toEqual({ trailers: {}, tail: '\n\nevent: metering\ndata: {"creditsCharged":1.5,"estimatedMaxCredits":5}\n\n' })
    expect(tap({ metering: true }).end({ ...receipt, pending: true }).tail).toContain('"pending":true')
  })

  it.each<[string, Partial<StreamHead> & { metering?: boolean }]>([
    ['the route does not ask', { metering: false }],
    ['the length has been told', { canGrow: false }],
    ['it is no event stream', { contentType: 'text/plain' }],
    ['it is compressed', { contentEncoding: 'gzip' }],
  ])('is not where %s', (_, over) => {
    expect(tap({ metering: true, ...over }).end(receipt)).toEqual({ trailers: {} })
  })
})

describe('tokens', () => {
  const tokens = tokenUsage({ rates: { input: 1, output: 1 }, ceiling: () => ({}) })
  const usage = new TextEncoder().encode('data: {"usage":{"prompt_tokens":9,"completion_tokens":4}}\n\n')

  it('are read where they are the price', () => {
    const read = tap({}, tokens)
    read.push(usage.subarray(0, 20))
    read.push(usage.subarray(20))
    expect(read.tokens!.usage()).toMatchObject({ final: true, input: 9, output: 4 })
  })

  it('are not where they are not, nor from what is compressed', () => {
    const plain = tap()
    plain.push(usage)
    expect(plain.tokens).toBeUndefined()
    expect(tap({ contentEncoding: 'br' }, tokens).tokens).toBeUndefined()
    expect(tap({ contentEncoding: 'identity' }, tokens).tokens).toBeDefined()
  })
})
