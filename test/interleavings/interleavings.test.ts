import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { explore } from './explore.js'
import { ids, type Scenario } from './world.js'

/** How many calls at most, for a longer search: `FAREBOX_INTERLEAVINGS=3 npx vitest run test/interleavings` */
const CALLS = Number(process.env['FAREBOX_INTERLEAVINGS'] ?? 2)
/** How many mishaps at most; each more takes about forty times as long. */
const MISHAPS = Number(process.env['FAREBOX_MISHAPS'] ?? 1)

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
  // Ids and digests that are the same each time, and no work besides this thread's: an order that is played again must be the same one.
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((bytes) => {
    new Uint8Array(bytes!.buffer).set(new TextEncoder().encode(ids.process))
    return bytes
  })
  vi.spyOn(crypto.subtle, 'digest').mockImplementation((_, text) => Promise.resolve(text as ArrayBuffer))
})
afterAll(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function scenarios(calls: number, mishaps: number): Record<string, Scenario> {
  const own = ['a', 'b', 'c'].slice(0, calls).map((process) => ({ process }))
  const keyed = own.map(({ process }) => ({ process, key: 'k' }))
  const scarce = 5 * calls - 3
  return {
    'that the credits are too few for': { calls: own, allowance: scarce, mishaps },
    'of one process': { calls: own.map(() => ({ process: 'a' })), allowance: scarce, mishaps: mishaps - 1 },
    'under one key': { calls: keyed, allowance: 5 * calls, mishaps },
    'under one key, the first of which fails': { calls: keyed.map((call, i) => ({ ...call, fails: i === 0 })), allowance: 5 * calls, mishaps },
    'and a top-up': { calls: own, allowance: 6, topUp: 4, mishaps: mishaps - 1 },
  }
}

describe(`${CALLS} calls, and at most ${MISHAPS} of: a lost reply, a late command, a crash, a renewal, an outage`, () => {
  test.each(Object.entries(scenarios(CALLS, MISHAPS)))('%s: all promises hold in every order', async (name, scenario) => {
    const { schedules, states, outcomes } = await explore(scenario)
    console.log(`${CALLS} calls ${name}: ${schedules} schedules, ${states} states; calls ${[...outcomes].map(([state, times]) => `${state} ${times}`).join(', ')}`)
    expect(outcomes.get('ended')).toBeGreaterThan(0)
  }, 900_000)
})
