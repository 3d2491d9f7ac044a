import { describe, expect, it } from 'vitest'
import type { BodyRead, Call, Idempotency } from '../src/billing/call/call.js'
import { idempotencyOf } from '../src/billing/admission/idempotency.js'
import { openCall } from './open-call.js'

interface Sent {
  readonly key?: string
  readonly url?: string
  readonly body?: unknown
  readonly unreadable?: true
  readonly length?: string
}

function callOf({ key, url = '/run', body, unreadable, length }: Sent): Call {
  const read: BodyRead = unreadable ? { kind: 'unreadable', reason: 'an upload' } : { kind: 'parsed', value: body }
  const headers: Record<string, string | undefined> = { 'idempotency-key': key, 'content-length': length }
  return { ...openCall().call, url, header: (name) => headers[name], body: () => Promise.resolve(read) }
}

async function of(sent: Sent, route = 'POST /run'): Promise<Idempotency> {
  const step = await idempotencyOf(route, callOf({ key: 'k', ...sent }))
  if (step.kind === 'refused') throw new Error('refused')
  return step.value
}
const payload = async (sent: Sent) => (await of(sent)).payload

it('a call without the header has none', async () => {
  expect(await of({ key: undefined as unknown as string })).toEqual({ key: '', payload: '' })
})

describe('a key', () => {
  it('is 43 characters whatever is sent, the same for the same', async () => {
    for (const key of ['k', '"8e03978e-40d5-43e6-bc93-6894a57f9324"', 'ключ', 'x'.repeat(255)]) {
      expect((await of({ key })).key).toMatch(/^[\w-]{43}$/)
      expect(await of({ key })).toEqual(await of({ key }))
    }
    expect((await of({ key: ' k\t' })).key).toBe((await of({ key: 'k' })).key)
  })

  it('belongs to a route', async () => {
    const keys = [await of({}), await of({}, 'POST /other'), await of({}, 'PUT /run'), await of({ key: 'K' })].map(({ key }) => key)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is the same with another payload: that is how it is found out', async () => {
    const [a, b] = [await of({ body: 1 }), await of({ body: 2 })]
    expect(a.key).toBe(b.key)
    expect(a.payload).not.toBe(b.payload)
  })

  it.each([['empty', ''], ['blank', '  '], ['longer than 255 characters', 'x'.repeat(256)]])('that is %s is refused by the name of its header', async (_, key) => {
    expect(await idempotencyOf('POST /run', callOf({ key }))).toMatchObject({
      kind: 'refused', refused: { kind: 'invalid_request', issues: [{ field: 'Idempotency-Key', message: expect.stringContaining('1 to 255') as string }] },
    })
  })
})

describe('a payload', () => {
  it('is the same in whatever order its members come, at any depth', async () => {
    expect(await payload({ body: { a: 1, b: { c: [{ d: 1, e: 2 }], 10: 0, 9: 0 } } })).toBe(await payload({ body: { b: { 9: 0, 10: 0, c: [{ e: 2, d: 1 }] }, a: 1 } }))
  })

  it('is another one when anything else differs', async () => {
    const sent: Sent[] = [
      { body: { a: [1, 2] } }, { body: { a: [2, 1] } }, { body: { a: 1 } }, { body: { a: '1' } }, { body: { a: null } }, { body: {} }, { body: [] }, { body: '' }, { body: null }, {},
      { body: { a: 1 }, url: '/run?n=2' }, { body: JSON.parse('{"__proto__": {"a": 1}}') }, { unreadable: true, length: '5' }, { unreadable: true, length: '6' },
    ]
    const payloads = await Promise.all(sent.map(payload))
    expect(new Set(payloads).size).toBe(sent.length)
  })

  it('does not change with the host that was asked', async () => {
    expect(await payload({ url: 'http://a.example:3000/run?n=1' })).toBe(await payload({ url: '/run?n=1' }))
  })
})
