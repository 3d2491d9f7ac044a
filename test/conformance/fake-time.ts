import { vi } from 'vitest'
import type { Api } from './adapter-api.js'

/** Time that passes at once, for the process and for the store. It is real again after the test. */
export interface FakeTime {
  /** The store's clock. */
  now(): number
  /** Lets this many ms pass, and what that sets off come to the store. */
  pass(ms: number, api: Api): Promise<void>
}

/** As often as a reservation of 60 s is looked after, and more. */
const STEP = 10_000

/** Call it before the calls that are to run long. Real time passes besides: servers wait for a timer at times. */
export function fakeTime(): FakeTime {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'], shouldAdvanceTime: true, advanceTimeDelta: 5 })
  let now = Date.UTC(2026, 2, 3, 12)
  return {
    now: () => now,
    async pass(ms, api) {
      for (let left = ms; left > 0; left -= STEP) {
        now += Math.min(STEP, left)
        vi.advanceTimersByTime(Math.min(STEP, left))
        // The store answers in order: what a timer has sent is done when this is.
        await api.standing()
      }
    },
  }
}
