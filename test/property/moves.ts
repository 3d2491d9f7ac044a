import type { Recurrence } from '@farebox/core'
import fc from 'fast-check'
import { deeds, type Deed } from './deeds.js'

/** What a step is to do. Its numbers become a command when its turn comes, by what there is by then. */
export interface Move {
  readonly deed: Deed
  readonly passes: Passes
  readonly account: number
  /** Of those it can be about, counted from the newest. */
  readonly which: number
  readonly amount: number
  readonly variant: number
  /** Sent twice, as after a time-out. */
  readonly again: boolean
}

/** The time before a step: so many ms, or until `off` ms from when something ends by itself. */
export type Passes = { readonly ms: number } | { readonly off: number }

export interface Story {
  readonly start: number
  /** Of the second account's allowance. */
  readonly recurrence: Recurrence
  readonly moves: readonly Move[]
}

const [SECOND, DAY] = [1_000, 86_400_000]

const passes: fc.Arbitrary<Passes> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ ms: fc.constantFrom(0, 0, 0, 1, 500, 5 * SECOND) }) },
  { weight: 5, arbitrary: fc.record({ off: fc.constantFrom(0, -1, 1) }) },
  { weight: 2, arbitrary: fc.record({ ms: fc.constantFrom(59_999, 60_000, 119_999, 120_000, 120_001) }) },
  { weight: 1, arbitrary: fc.record({ ms: fc.constantFrom(DAY - 1, DAY, 28 * DAY, 29 * DAY, 30 * DAY, 31 * DAY, 100 * DAY) }) },
  // The clock of a server is put right.
  { weight: 1, arbitrary: fc.record({ ms: fc.constantFrom(-1, -500, -5 * SECOND) }) },
)

const move: fc.Arbitrary<Move> = fc.record({
  deed: fc.oneof(...Object.entries(deeds).map(([deed, { weight }]) => ({ weight, arbitrary: fc.constant(deed as Deed) }))),
  passes,
  account: fc.constantFrom(0, 0, 0, 1),
  which: fc.constantFrom(0, 0, 0, 1, 2, 3, 5, 8, 13),
  amount: fc.nat(59),
  variant: fc.nat(59),
  again: fc.constantFrom(false, false, false, false, false, false, false, true),
})

/** Before the ends of days, months, years and leap days. */
const start = fc.constantFrom('2025-11-22T12:00:00Z', '2024-02-28T23:59:59.000Z', '2024-02-29T23:59:59.999Z', '2025-02-28T23:59:00Z', '2023-12-31T23:59:30Z', '2026-01-31T00:00:00Z')
  .map((date) => Date.parse(date))

const recurrence: fc.Arbitrary<Recurrence> = fc.record({ every: fc.constantFrom('month', 'day'), rollover: fc.constantFrom(0, 30, 250) })

export const stories: fc.Arbitrary<Story> = fc.record({ start, recurrence, moves: fc.array(move, { minLength: 1, maxLength: 120, size: 'max' }) })
