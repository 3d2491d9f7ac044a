import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { explore } from './explore.js'
import { ids, type Scenario } from './world.js'

/** How many calls, for a longer search: `FAREBOX_INTERLEAVINGS=3 npx vitest run test/interleavings` */
const CALLS = Number(process.env['FAREBOX_INTERLEAVINGS'] ?? 2)

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

const own = ['a', 'b', 'c'].slice(0, CALLS).map((process) => ({ process }))
const keyed = own.map(({ process }) => ({ process, key: 'k' }))
const mishaps = Number(process.env['MISHAPS'] ?? 1)

const scenarios: Record<string, Scenario> = {
  'calls that the credits are too few for': { calls: own, allowance: 5 * CALLS - 3, mishaps },
  'calls of one process': { calls: own.map(() => ({ process: 'a' })), allowance: 5 * CALLS - 3, mishaps },
  'calls under one key': { calls: keyed, allowance: 5 * CALLS, mishaps },
  'calls that fail, and one more, under one key': { calls: keyed.map((call, i) => ({ ...call, fails: i < CALLS - 1 })), allowance: 5 * CALLS, mishaps },
  'a top-up while calls are made': { calls: own, allowance: 6, topUp: 4, mishaps },
}

test.each(Object.entries(scenarios))('%s: all promises hold in every order of what can happen', async (name, scenario) => {
  const { schedules, states, outcomes } = await explore(scenario)
  console.log(performance.now(), process.hrtime(), `${name}: ${schedules} schedules, ${states} states; ${[...outcomes].map(([state, times]) => `${state} ${times}`).join(', ')}`)
  expect(outcomes.get('ended')).toBeGreaterThan(0)
}, 600_000)
