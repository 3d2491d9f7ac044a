import fc from 'fast-check'
import { expect } from 'vitest'
import { stories, type Story } from './moves.js'
import { Counts } from './run.js'

const STORIES_A_ROUND = 50
const LONG = 20_000
const SEED = Number(process.env['FAREBOX_SEED'] ?? Date.now() % 2 ** 31)

/** What a long search has to come across, or its stories say little. */
const OUTCOMES = [
  'reserved', 'insufficient', 'over_budget', 'conflict', 'in_progress', 'replayed', 'mismatch', 'settled', 'released', 'unknown', 'late', 'short', 'extended', 'gone',
  'granted', 'grant_conflict', 'grant_overflow', 'refunded', 'refund_too_high', 'refund_conflict', 'refund_overflow', 'no_charge',
  'operation', 'no_operation', 'operation_conflict', 'balance', 'usage', 'entries', 'entry: expiry',
]

/** Plays random stories until so many steps were made. A failure prints the shortest such story and its seed: `FAREBOX_SEED` begins there. */
export async function search(steps: number, tell: (story: Story, counts: Counts) => Promise<void>): Promise<void> {
  const counts = new Counts()
  for (let seed = SEED; counts.steps < steps; seed++) {
    await fc.assert(fc.asyncProperty(stories, (story) => tell(story, counts)), { seed, numRuns: STORIES_A_ROUND })
  }
  const { outcomes } = counts
  if (counts.steps >= LONG) expect(OUTCOMES.filter((outcome) => !outcomes.has(outcome)), 'what no story came to').toEqual([])
}
