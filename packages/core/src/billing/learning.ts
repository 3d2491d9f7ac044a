import type { Store } from '../store/store.js'

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
  /** The mean of actual ÷ ceiling. */
  readonly ratio: number
  /** Whether most of them answered 202. */
  readonly accepted: boolean
  /** The 10th and the 90th percentile of how long they took, ms. */
  readonly lowMs: number
  readonly highMs: number
}

/** Learns from settled calls what a route's next call will cost and take. */
export class Learning {
  constructor(private readonly store: Store) {}

  observe(_route: string, _seen: Observation): void {}

  async read(_route: string): Promise<Learned | undefined> {
    void this.store
    return undefined
  }
}
