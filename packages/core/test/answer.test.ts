import { describe, expect, it } from 'vitest'
import { answer } from '../src/http/answer.js'
import { refusalOf } from '../src/http/refusals.js'

const refusal = refusalOf({ kind: 'insufficient', required: 5_000_000, balance: 4_500_000, reserved: 2_500_000, available: 2_000_000 })
const typeFor = (accept: string | undefined) => answer(refusal, accept).headers['Content-Type']

it('a refusal is the error envelope, its members in this order', () => {
  expect(answer(refusal, undefined)).toEqual({
    status: 402,
    headers: { 'Content-Type': 'application/json', 'Credits-Charged': '0', 'Credits-Ceiling': '5', 'Credits-Remaining': '2' },
    body: '{"error":{"code":"PAYMENT_REQUIRED","message":"insufficient credits","details":{"required":5,"available":2,"reserved":2.5}}}',
  })
})

it('or a problem (RFC 9457) that says the same', () => {
  const { status, headers, body } = answer(refusal, 'application/problem+json')
  expect({ status, type: headers['Content-Type'] }).toEqual({ status: 402, type: 'application/problem+json' })
  expect(JSON.parse(body)).toEqual({
    type: 'about:blank', title: 'insufficient credits', status: 402, code: 'PAYMENT_REQUIRED', required: 5, available: 2, reserved: 2.5,
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
