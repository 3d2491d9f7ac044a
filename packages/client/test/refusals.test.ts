import { describe, expect, it } from 'vitest'
import { fareboxFetch } from '../src/index.js'
import { ok, refusal, scripted, timeless, type Step } from './scripted-server.js'

const short = { required: 20, available: 7.5, reserved: 2 }
const budget = { scope: 'key:a', window: 'day', limit: 10, spent: 7, held: 1.5 }
const REFUSALS: readonly [status: number, code: string, details: object][] = [
  [401, 'UNAUTHENTICATED', {}],
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'top_up' }],
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'reduce' }],
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'reduce', budget: { ...budget, window: 'total' } }],
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'raise_limit', budget: { ...budget, resetsAt: '2026-03-04T00:00:00.000Z' } }],
  [403, 'CEILING_TOO_HIGH', { required: 20, maxCeiling: 10 }],
  [409, 'IDEMPOTENCY_RESULT_UNAVAILABLE', {}],
  [422, 'INVALID_REQUEST', { issues: [{ field: 'count', message: 'too big' }] }],
  [422, 'IDEMPOTENCY_MISMATCH', {}],
  [500, 'PRICE_INVALID', {}],
]
const PASSING: readonly [status: number, code: string, details: object][] = [
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'retry' }],
  [402, 'PAYMENT_REQUIRED', { ...short, remedy: 'retry', budget: { ...budget, window: 'month' } }],
  [409, 'IDEMPOTENCY_IN_PROGRESS', {}],
  [503, 'BILLING_UNAVAILABLE', {}],
]

/** The same refusal as problem+json. */
const problem = (status: number, code: string, details: object): Step => ({
  status,
  headers: { 'Content-Type': 'application/problem+json; charset=utf-8' },
  body: JSON.stringify({ type: 'about:blank', title: 'no', status, code, ...details }),
})

const call = async (...steps: readonly Step[]) => {
  const { url, received } = await scripted(...steps)
  const { pauses, options } = timeless()
  return { outcome: await fareboxFetch(`${url}/run`, { method: 'POST', body: '{}' }, options), received, pauses }
}

describe.each(REFUSALS)('%i %s %j', (status, code, details) => {
  it('is returned with its details and sent exactly once, even with a Retry-After', async () => {
    const { outcome, received, pauses } = await call(refusal(status, code, details, { 'Retry-After': '1' }), ok)
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { status, code, message: 'no', ...details } })
    expect(received).toHaveLength(1)
    expect(pauses).toEqual([])
  })

  it('is the same refusal as a problem (RFC 9457)', async () => {
    const [envelope, asProblem] = [await call(refusal(status, code, details)), await call(problem(status, code, details))]
    if (envelope.outcome.kind !== 'refused' || asProblem.outcome.kind !== 'refused') throw new Error('not refused')
    expect(asProblem.outcome.refusal).toEqual(envelope.outcome.refusal)
    expect(asProblem.received).toHaveLength(1)
  })
})

describe.each(PASSING)('%i %s %j', (status, code, details) => {
  it('is waited for as long as Retry-After says, then sent again', async () => {
    const { outcome, received, pauses } = await call(refusal(status, code, details, { 'Retry-After': '7' }), refusal(status, code, details, { 'Retry-After': '9' }), ok)
    expect(outcome).toMatchObject({ kind: 'response', response: { status: 200 } })
    expect(received).toHaveLength(3)
    expect(pauses).toEqual([7000, 9000])
  })

  it('is waited for as a problem, too', async () => {
    const { outcome, received } = await call(problem(status, code, details), ok)
    expect(outcome).toMatchObject({ kind: 'response' })
    expect(received).toHaveLength(2)
  })

  it('is returned when it stays, with what Retry-After asks for', async () => {
    const { outcome, received } = await call(...Array.from({ length: 6 }, () => refusal(status, code, details, { 'Retry-After': '7' })))
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { status, code, ...details, retryAfterMs: 7000 } })
    expect(received).toHaveLength(5)
  })

  it('is sent again without a key, too: it did not run', async () => {
    const { url, received } = await scripted(refusal(status, code, details), ok)
    expect(await fareboxFetch(url, {}, timeless().options)).toMatchObject({ kind: 'response' })
    expect(received.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, undefined])
  })
})

describe('the budget of a 402', () => {
  const read = async (of: unknown) => {
    const { outcome } = await call(refusal(402, 'PAYMENT_REQUIRED', { ...short, remedy: 'raise_limit', budget: of }))
    if (outcome.kind !== 'refused' || outcome.refusal.code !== 'PAYMENT_REQUIRED') throw new Error(outcome.kind)
    return outcome.refusal.budget
  }

  it('is what it says; without an end where it has none', async () => {
    expect(await read({ ...budget, resetsAt: '2026-03-04T00:00:00.000Z' })).toEqual({ ...budget, resetsAt: '2026-03-04T00:00:00.000Z' })
    expect(await read({ ...budget, resetsAt: 5, more: 1 })).toEqual({ ...budget, resetsAt: undefined })
  })

  it.each([undefined, null, 'key:a', { ...budget, scope: 5 }, { ...budget, window: 'week' }, { ...budget, limit: '10' }, { ...budget, spent: null }, { ...budget, held: undefined }])(
    'is none where it is not understood, and the refusal one all the same: %j', async (of) => {
      expect(await read(of)).toBeUndefined()
    })
})

it('the response of a refusal can still be read', async () => {
  const { outcome } = await call(refusal(401, 'UNAUTHENTICATED'))
  if (outcome.kind !== 'refused') throw new Error(outcome.kind)
  expect(await outcome.response.json()).toEqual({ error: { code: 'UNAUTHENTICATED', message: 'no', details: {} } })
})

it.each<[string, Step]>([
  ['a 404 of the API', { status: 404, headers: { 'Content-Type': 'application/json' }, body: '{"error":"not found"}' }],
  ['a 500 in our envelope, with a code of the API', refusal(500, 'OUT_OF_PAPER')],
  ['a code of ours with another status', refusal(400, 'BILLING_UNAVAILABLE')],
  ['a 402 that says nothing of credits', refusal(402, 'PAYMENT_REQUIRED')],
  ['a 402 with a remedy nobody knows', refusal(402, 'PAYMENT_REQUIRED', { ...short, remedy: 'beg' })],
  ['a 403 without amounts', refusal(403, 'CEILING_TOO_HIGH')],
  ['a 422 without issues', refusal(422, 'INVALID_REQUEST')],
  ['a 503 of a proxy', { status: 503, headers: { 'Content-Type': 'text/html', 'Retry-After': '1' }, body: '<h1>busy</h1>' }],
  ['JSON that is none', { status: 503, headers: { 'Content-Type': 'application/json' }, body: '{"error":' }],
  ['JSON that is no object', { status: 503, headers: { 'Content-Type': 'application/json' }, body: 'null' }],
  ['no body', { status: 503 }],
])('passed on unread and sent once: %s', async (_, step) => {
  const { outcome, received } = await call(step, ok)
  if (outcome.kind !== 'response' || typeof step === 'string') throw new Error(outcome.kind)
  expect(outcome.response.status).toBe(step.status)
  expect(await outcome.response.text()).toBe(step.body ?? '')
  expect(received).toHaveLength(1)
})
