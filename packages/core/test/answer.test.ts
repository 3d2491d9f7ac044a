import { describe, expect, it } from 'vitest'
import type { Refused } from '../src/billing/admission/refused.js'
import { answer } from '../src/http/answer.js'
import { refusalOf } from '../src/http/refusals.js'

const short = { kind: 'insufficient', required: 5_000_000, now: 0, freesAt: 0, balance: 4_500_000, reserved: 2_500_000, available: 2_000_000 } as const
const refusal = refusalOf({ ...short, remedy: { kind: 'top_up' } })
const typeFor = (accept: string | undefined) => answer(refusal, accept).headers['Content-Type']

it('a refusal is the error envelope, its members in this order', () => {
  expect(answer(refusal, undefined)).toEqual({
    status: 402,
    headers: { 'Content-Type': 'application/json', 'Credits-Charged': '0', 'Credits-Ceiling': '5', 'Credits-Remaining': '2' },
    body: '{"error":{"code":"PAYMENT_REQUIRED","message":"insufficient credits","details":{"required":5,"available":2,"reserved":2.5,"remedy":"top_up"}}}',
  })
})

it('or a problem (RFC 9457) that says the same', () => {
  const { status, headers, body } = answer(refusal, 'application/problem+json')
  expect({ status, type: headers['Content-Type'] }).toEqual({ status: 402, type: 'application/problem+json' })
  expect(JSON.parse(body as string)).toEqual({
    type: 'about:blank', title: 'insufficient credits', status: 402, code: 'PAYMENT_REQUIRED', required: 5, available: 2, reserved: 2.5, remedy: 'top_up',
  })
})

describe('Accept asks for a problem', () => {
  it.each([
    'application/problem+json',
    'Application/Problem+JSON',
    'text/html, application/problem+json',
    'application/problem+json, */*;q=0.1',
    'application/json;q=0.5, application/problem+json;q=0.5',
    'application/json; q=0.2 , application/problem+json ; q=0.9',
    'application/problem+json;charset=utf-8;q=1',
  ])('%s', (accept) => expect(typeFor(accept)).toBe('application/problem+json'))
})

describe('Accept asks for the envelope', () => {
  it.each([
    undefined, '', '*/*', 'application/json', 'application/*', 'text/html',
    'application/problem+json;q=0',
    'application/problem+json;q=0.4, application/json;q=0.5',
    'application/problem+json;q=nonsense',
    'x-application/problem+json',
  ])('%s', (accept) => expect(typeFor(accept)).toBe('application/json'))
})

describe('a refusal', () => {
  it('says after how many whole seconds credits come free, and else says no time', () => {
    const after = (afterMs: number) => refusalOf({ ...short, remedy: { kind: 'retry', afterMs } })
    expect([1, 1_000, 1_001, 59_999].map((ms) => after(ms).headers['Retry-After'])).toEqual(['1', '1', '2', '60'])
    expect(after(1).details).toMatchObject({ remedy: 'retry' })
    expect(refusal.headers).not.toHaveProperty('Retry-After')
    expect(refusalOf({ ...short, remedy: { kind: 'reduce' } })).toMatchObject({ details: { remedy: 'reduce' }, headers: { 'Credits-Charged': '0' } })
  })

  it.each<[Refused, number, string]>([
    [{ kind: 'unauthenticated', reason: 'no account' }, 401, 'UNAUTHENTICATED'],
    [{ ...short, remedy: { kind: 'top_up' } }, 402, 'PAYMENT_REQUIRED'],
    [{ kind: 'ceiling_too_high', required: 5, most: 4 }, 403, 'CEILING_TOO_HIGH'],
    [{ kind: 'no_operation', operation: 'op1' }, 404, 'OPERATION_NOT_FOUND'],
    [{ kind: 'in_progress' }, 409, 'IDEMPOTENCY_IN_PROGRESS'],
    [{ kind: 'result_unavailable' }, 409, 'IDEMPOTENCY_RESULT_UNAVAILABLE'],
    [{ kind: 'invalid_request', issues: [{ field: 'n', message: 'expected a number' }] }, 422, 'INVALID_REQUEST'],
    [{ kind: 'mismatch' }, 422, 'IDEMPOTENCY_MISMATCH'],
    [{ kind: 'price_invalid', route: 'POST /run' }, 500, 'PRICE_INVALID'],
    [{ kind: 'unavailable' }, 503, 'BILLING_UNAVAILABLE'],
  ])('of %j is %s %s, and cost nothing', (refused, status, code) => {
    expect(refusalOf(refused)).toMatchObject({ status, code, headers: { 'Credits-Charged': '0' } })
  })
})
