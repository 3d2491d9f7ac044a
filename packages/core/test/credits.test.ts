import fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_CREDITS, MICRO_PER_CREDIT, toCredits, toMicro } from '../src/credits.js'

/** Up to here every micro-credit has a decimal of its own: above 2^32 credits neighbours share a double. */
const EXACT = 2 ** 32 * MICRO_PER_CREDIT
const micro = fc.integer({ min: 0, max: EXACT })

it('micro-credits survive the way to credits and back', () => {
  fc.assert(fc.property(micro, (amount) => toMicro(toCredits(amount)) === amount))
})

it('above 2^32 credits the way back is never off by more than one micro-credit', () => {
  fc.assert(fc.property(fc.integer({ min: EXACT, max: Number.MAX_SAFE_INTEGER }), (amount) => {
    const back = toMicro(toCredits(amount))
    return back !== undefined && Math.abs(back - amount) <= 1 && Number.isSafeInteger(back)
  }))
})

it('a part of a micro-credit is rounded up', () => {
  // Up to here a thousandth of a micro-credit is far from the noise of a double.
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 36 }), fc.integer({ min: 1, max: 999 }), (whole, thousandths) => {
    const credits = (whole + thousandths / 1000) / MICRO_PER_CREDIT
    return toMicro(credits) === whole + 1
  }), { numRuns: 1_000 })
})

it('more than nothing is never nothing', () => {
  expect([1e-7, 1e-13, Number.MIN_VALUE].map(toMicro)).toEqual([1, 1, 1])
  expect(toMicro(0)).toBe(0)
})

it('binary noise is not a part of a micro-credit', () => {
  expect(toMicro(0.1 * 3)).toBe(300_000)
  expect(toMicro(0.1 + 0.2)).toBe(300_000)
  expect(toMicro(1.1 * 1.1)).toBe(1_210_000)
  fc.assert(fc.property(fc.integer({ min: 0, max: 100_000 }), fc.integer({ min: 0, max: 10_000 }), (rate, quantity) =>
    toMicro((rate / 1000) * quantity) === rate * 1000 * quantity))
})

it('a price is never rounded down by more than that noise', () => {
  fc.assert(fc.property(fc.double({ min: 0, max: MAX_CREDITS, noNaN: true }), (credits) => {
    const amount = toMicro(credits)
    const exact = credits * MICRO_PER_CREDIT
    return amount !== undefined && Number.isSafeInteger(amount) && amount >= exact - Math.max(1e-6, exact * 2 ** -50)
  }))
})

it('the bounds are 0 and 2^53 − 1 micro-credits', () => {
  expect(toMicro(0)).toBe(0)
  expect(toMicro(MAX_CREDITS)).toBe(Number.MAX_SAFE_INTEGER)
  expect(toMicro(MAX_CREDITS * (1 + Number.EPSILON))).toBeUndefined()
  expect(toMicro(0.000001)).toBe(1)
  expect(toMicro(0.0000001)).toBe(1)
})

it.each([NaN, Infinity, -Infinity, -1, -0.000001, Number.MAX_VALUE, '5', null, undefined, 5n, [5], {}])('%s is no amount', (value) => {
  expect(toMicro(value)).toBeUndefined()
})
