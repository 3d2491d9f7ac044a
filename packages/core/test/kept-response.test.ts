import { describe, expect, it } from 'vitest'
import { keptResponse, replay } from '../src/http/kept-response.js'
import type { Replayed } from '../src/ledger/commands.js'

const json = { 'Content-Type': 'application/json' }
const replayed: Omit<Replayed, 'response'> = { kind: 'replayed', ceiling: 5_000_000, charge: 2_000_000, pending: false, balance: 8_000_000, reserved: 0, available: 8_000_000 }
const again = (response: string, { metering = false, ...over }: Partial<Replayed> & { metering?: boolean } = {}) => replay({ ...replayed, response, ...over }, { product: 'p', price: 5, metering })
const told = { 'Credits-Ceiling': '5', 'Credits-Charged': '2', 'Credits-Remaining': '8', 'Idempotent-Replayed': 'true' }

it('a response is answered again with what it cost', () => {
  const kept = keptResponse({ status: 201, headers: { ...json, Location: '/runs/1' }, body: '{"a":1}' })
  expect(again(kept)).toEqual({ status: 201, headers: { ...json, Location: '/runs/1', ...told }, body: '{"a":1}' })
})

it('what is about the connection, the moment or a secret is not kept, nor what it cost then', () => {
  const headers = { ...json, connection: 'close', 'Transfer-Encoding': 'chunked', 'content-length': '7', Date: 'today', 'Set-Cookie': 'session=1', 'credits-remaining': '1', 'Credits-Charged': '9', Trailer: 'x', ETag: '"a"' }
  expect(again(keptResponse({ status: 200, headers, body: '{}' })).headers).toEqual({ ...json, ETag: '"a"', ...told })
})

describe('metering', () => {
  const kept = keptResponse({ status: 200, headers: json, body: '{"a":1}' })

  it('is put in again where the route asks, with what the call cost in the end', () => {
    expect(again(kept, { metering: true }).body).toBe('{"a":1,"metering":{"creditsCharged":2,"estimatedMaxCredits":5}}')
  })

  it('of an operation that goes on says so, and the headers say no charge', () => {
    const { body, headers } = again(kept, { metering: true, pending: true, charge: 0 })
    expect(body).toBe('{"a":1,"metering":{"creditsCharged":0,"estimatedMaxCredits":5,"pending":true}}')
    expect(headers).not.toHaveProperty('Credits-Charged')
  })

  it.each([
    ['text that looks like it', { 'content-type': 'text/plain' }],
    ['no type', {}],
    ['encoded JSON', { ...json, 'Content-Encoding': 'br' }],
  ])('is put into JSON only: %s stays as it was answered', (_, headers) => {
    expect(again(keptResponse({ status: 200, headers, body: '{"a":1}' }), { metering: true }).body).toBe('{"a":1}')
  })
})

describe('a body', () => {
  it('of bytes that are text is kept as text, byte for byte', () => {
    const text = '\ufeff{"name":"Zoë 😀","half":"\\ud800"}'
    const kept = keptResponse({ status: 200, headers: json, body: new TextEncoder().encode(text) })
    expect(again(kept).body).toBe(text)
    expect(kept).toContain('Zoë 😀')
  })

  it('of any bytes comes back as the same bytes', () => {
    const bytes = Uint8Array.from({ length: 5_000 }, (_, i) => (i * 7) % 256)
    expect(again(keptResponse({ status: 200, headers: { 'Content-Type': 'image/png' }, body: bytes }), { metering: true }).body).toEqual(bytes)
  })

  it('of half a character in a text is kept', () => {
    const kept = keptResponse({ status: 200, headers: json, body: 'a\ud800' })
    expect(kept).not.toMatch(/\p{Surrogate}/u)
    expect(again(kept).body).toBe('a\ud800')
  })

  it('that is too large is not kept, as text, as bytes, or once it is escaped', () => {
    expect(keptResponse({ status: 200, headers: {}, body: 'a'.repeat(262_000) })).not.toBe('')
    expect(keptResponse({ status: 200, headers: {}, body: 'a'.repeat(262_145) })).toBe('')
    expect(keptResponse({ status: 200, headers: {}, body: new Uint8Array(262_145).fill(255) })).toBe('')
    expect(keptResponse({ status: 200, headers: {}, body: new Uint8Array(200_000).fill(255) })).toBe('')
    expect(keptResponse({ status: 200, headers: {}, body: '\u0001'.repeat(100_000) })).toBe('')
    expect(keptResponse({ status: 200, headers: { a: 'a'.repeat(262_144) }, body: '' })).toBe('')
  })
})
