/**
 * Latencies are counted in buckets whose bounds grow by 2^(1/4), about 19 %: four for each doubling from 1 ms on.
 * Bucket 0 is everything below 1 ms, the last one everything from 2^32 ms (50 days) on, so a route has 130 at most.
 */
const PER_DOUBLING = 4
const LAST_BUCKET = 32 * PER_DOUBLING + 1

export function bucketOf(ms: number): number {
  return ms < 1 ? 0 : Math.min(Math.floor(Math.log2(ms) * PER_DOUBLING) + 1, LAST_BUCKET)
}

/**
 * The latency that a bucket stands for, ms: the geometric middle, which is within 9.1 % of each that was counted in
 * it; half a millisecond for bucket 0. Three digits, since more would promise what a bucket doesn't know.
 */
export function middleOf(bucket: number): number {
  return bucket === 0 ? 0.5 : Number((2 ** ((bucket - 0.5) / PER_DOUBLING)).toPrecision(3))
}

/**
 * The bucket in which a percentile lies, by nearest rank: the first by which `share` of all calls have ended.
 *
 * @param calls how many calls each bucket has
 */
export function percentileBucket(calls: ReadonlyMap<number, number>, share: number): number {
  const buckets = [...calls].sort(([a], [b]) => a - b)
  let rank = Math.ceil(share * buckets.reduce((sum, [, count]) => sum + count, 0))
  return buckets.find(([, count]) => (rank -= count) <= 0)?.[0] ?? 0
}
