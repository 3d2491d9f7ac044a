/** Numbers between 0 and 1, the same ones for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return ((state >>> 0) + 0.5) / 2 ** 32
  }
}

/** A distribution of latencies, ms, with its 10th and 90th percentile in theory. */
export interface Distribution {
  readonly name: string
  readonly p10: number
  readonly p90: number
  draw(random: () => number): number
}

/** 1.2816 standard deviations are the 10th and the 90th percentile of the normal distribution. */
const Z90 = 1.2816

export const distributions: readonly Distribution[] = [
  { name: 'log-normal', p10: 200 * Math.exp(-0.6 * Z90), p90: 200 * Math.exp(0.6 * Z90), draw: (random) => 200 * Math.exp(0.6 * normal(random)) },
  { name: 'uniform', p10: 190, p90: 910, draw: (random) => 100 + 900 * random() },
  // 70 of 100 from 10 to 20 ms, the others from 2,000 to 3,000.
  { name: 'bimodal', p10: 10 + 10 / 7, p90: 2_000 + 1_000 * (2 / 3), draw: (random) => (random() < 0.7 ? 10 + 10 * random() : 2_000 + 1_000 * random()) },
  { name: 'constant', p10: 50, p90: 50, draw: () => 50 },
  { name: 'below a millisecond', p10: 0.2, p90: 0.2, draw: () => 0.2 },
]

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
}
