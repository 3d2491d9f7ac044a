import type { Quantities } from '../prices/route.js'

/** Half a micro-credit: what is below it is left by binary fractions. */
const SMALLEST = 5e-7

/** What code below a handler counts of its own call, and what that leaves of the ceiling. */
export class CallMeter {
  readonly #counts = new Map<string, number>()
  readonly #seen = new Map<string, Set<string>>()
  readonly #stop = new AbortController()
  #credits = 0

  /** @param ceiling credits */
  constructor(private readonly ceiling: number, private readonly rates: Readonly<Record<string, number>>) {}

  get counts(): Quantities<string> {
    return Object.fromEntries(this.#counts)
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  count(unit: string, quantity: number): void {
    this.#counts.set(unit, (this.#counts.get(unit) ?? 0) + quantity)
    if (Object.hasOwn(this.rates, unit)) this.#credits += quantity * this.rates[unit]!
    if (this.remaining() < SMALLEST) this.#stop.abort()
  }

  unique(unit: string, value: string): void {
    const seen = this.#seen.get(unit) ?? new Set()
    this.#seen.set(unit, seen)
    if (seen.has(value)) return
    seen.add(value)
    this.count(unit, 1)
  }

  /** Credits of the ceiling that what was counted leaves. */
  remaining(): number {
    return Math.max(0, this.ceiling - this.#credits)
  }
}
