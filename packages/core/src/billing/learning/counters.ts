import type { Counts } from '../../store/commands.js'
import { bucketOf, middleOf, percentileBucket } from './latency.js'

/** How one call went. Amounts in micro-credits. */
export interface Observation {
  readonly durationMs: number
  readonly ceiling: number
  readonly charge: number
  /** Whether it answered 202. */
  readonly accepted: boolean
}

/** What the calls of a route were like. */
export interface Learned {
  /** The mean of actual ÷ ceiling; `undefined` until enough calls had a price above nothing. */
  readonly ratio: number | undefined
  /** Whether most of them answered 202. */
  readonly accepted: boolean
  /** The 10th and the 90th percentile of how long they took, ms. */
  readonly lowMs: number
  readonly highMs: number
}

/** Fewer calls say too little: what a route declares is told instead. */
const ENOUGH = 20

/** How many calls answered 202; how many had a price; the sum of their charge ÷ ceiling, in parts per million. */
const ACCEPTED = 'accepted'
const PRICED = 'priced'
const RATIO = 'ratio'
const PARTS = 1_000_000
/** `ms:` and a bucket: how many calls took that long. */
const LATENCY = 'ms:'

/** What a call adds to the counters of its route: whole numbers, so that those of all processes merge by adding. */
export function countersOf({ durationMs, ceiling, charge, accepted }: Observation): Counts {
  return {
    [LATENCY + bucketOf(durationMs)]: 1,
    ...(accepted && { [ACCEPTED]: 1 }),
    // Of a call that could cost nothing there is no ratio.
    ...(ceiling > 0 && { [PRICED]: 1, [RATIO]: Math.round((charge / ceiling) * PARTS) }),
  }
}

/** What the counters of a route say; `undefined` until there were enough calls. */
export function learnedFrom(counts: Counts): Learned | undefined {
  const latencies = new Map(Object.entries(counts).flatMap(([name, count]) => (name.startsWith(LATENCY) ? [[Number(name.slice(LATENCY.length)), count]] : [])))
  const calls = [...latencies.values()].reduce((sum, count) => sum + count, 0)
  if (calls < ENOUGH) return undefined
  const { [ACCEPTED]: accepted = 0, [PRICED]: priced = 0, [RATIO]: ratio = 0 } = counts
  return {
    ratio: priced < ENOUGH ? undefined : ratio / priced / PARTS,
    accepted: accepted > calls / 2,
    lowMs: middleOf(percentileBucket(latencies, 0.1)),
    highMs: middleOf(percentileBucket(latencies, 0.9)),
  }
}
