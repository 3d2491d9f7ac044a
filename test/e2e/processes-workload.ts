import type { Work } from '../support/apps/workload.js'

/** A call of the mix and what has to come of it. Amounts in micro-credits. */
export interface Job {
  readonly account: string
  readonly route: string
  readonly work: Work
  readonly price: number
  /** What it costs if it is let in. No two jobs cost the same, so each charge leads to its call. */
  readonly cost: number
}

const routes = ['POST /exact', 'POST /metered', 'POST /by-answer', 'POST /items/7/run'] as const

/** Random calls, the same for the same seed. */
export function randomJobs(count: number, accounts: number, seed: number): readonly Job[] {
  const random = randomNumbers(seed)
  const upTo = (limit: number) => Math.floor(random() * limit)
  const pick = <T>(list: readonly T[]) => list[upTo(list.length)]!
  return Array.from({ length: count }, (_, n): Job => {
    const route = pick(routes)
    const end = pick(route === 'POST /by-answer' ? ['json', 'json', 'status', 'throw', 'reject'] as const : ['json', 'json', 'json', 'text', 'empty', 'status', 'throw', 'reject'] as const)
    const price = upTo(24) * 1_000_000 + n + 1
    // Below the price, the price itself, or above it: then the price is taken.
    const charge = route === 'POST /exact' ? price : pick([upTo(price / 1_000_000) * 1_000_000 + n + 1, price, price + 5_000_000])
    const fails = end === 'status' || end === 'throw' || end === 'reject'
    return { account: `account ${upTo(accounts)}`, route, work: { price: price / 1e6, charge: charge / 1e6, end }, price, cost: fails ? 0 : Math.min(charge, price) }
  })
}

/** Mulberry32 of T. Ettinger: 32 bits of state, good enough to mix calls. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
