import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketOf, middleOf, percentileBucket } from '../src/billing/learning/latency.js'

describe('buckets of latencies', () => {
  it('grow by 2^(1/4), from 1 ms on; what is below is one', () => {
    expect([0, 0.001, 0.999].map(bucketOf)).toEqual([0, 0, 0])
    expect([1, 1.18, 1.19, 2, 4, 1_024].map(bucketOf)).toEqual([1, 1, 2, 5, 9, 41])
  })

  it('are 130 at most', () => {
    expect([2 ** 32, 1e300, Infinity].map(bucketOf)).toEqual([129, 129, 129])
  })

  it('each stands for a latency within 9.1 % of all that it counts, and in it', () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 2 ** 32, maxExcluded: true, noNaN: true }), (ms) => {
      const middle = middleOf(bucketOf(ms))
      expect(Math.max(middle / ms, ms / middle)).toBeLessThan(1.096)
      expect(bucketOf(middle)).toBe(bucketOf(ms))
    }))
    expect(bucketOf(middleOf(0))).toBe(0)
  })
})

it('a percentile lies where the sorted latencies have it, by nearest rank', () => {
  const latency = fc.double({ min: 0, max: 100_000, noNaN: true })
  fc.assert(fc.property(fc.array(latency, { minLength: 1, maxLength: 300 }), fc.constantFrom(0.1, 0.5, 0.9, 1), (latencies, share) => {
    const calls = new Map<number, number>()
    for (const ms of latencies) calls.set(bucketOf(ms), (calls.get(bucketOf(ms)) ?? 0) + 1)
    const exact = latencies.sort((a, b) => a - b)[Math.ceil(share * latencies.length) - 1]!
    expect(percentileBucket(calls, share)).toBe(bucketOf(exact))
  }))
})
