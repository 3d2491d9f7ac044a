import fc from 'fast-check'
import { expect, it } from 'vitest'
import { identify } from '../src/billing/admission/account.js'

it('takes any well-formed string of 1 to 256 characters as it is', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (account) => {
    fc.pre(account.length > 0 && account.length <= 256)
    expect(identify(account)).toEqual({ kind: 'account', account })
  }))
  expect(identify('😀'.repeat(128)).kind).toBe('account')
})

it.each([undefined, null, '', 0, 5, true, {}, ['ada'], Symbol('ada'), 'a'.repeat(257)])('%s is nobody', (value) => {
  expect(identify(value).kind).toBe('nobody')
})

it.each(['\ud800', 'a\udfff', '\udc00\ud800'])('half a character is nobody: two such ids would share one balance', (value) => {
  expect(identify(value).kind).toBe('nobody')
})
