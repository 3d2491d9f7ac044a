import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { persist } from '../src/billing/persist.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('does again what fails, further and further apart, until it succeeds', async () => {
  const times: number[] = []
  const done = persist(async () => {
    times.push(Date.now())
    if (times.length < 10) throw new Error('no')
    return 'done'
  }, () => false)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await done).toBe('done')
  expect(times.slice(1).map((time, i) => time - times[i]!)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000])
})

it('is over with the first failure of a try that was begun as the last one: not of one that was under way when time ran out', async () => {
  let last = false
  let fail = () => {}
  const act = vi.fn(() => new Promise<never>((_, reject) => { fail = () => reject(new Error('no')) }))
  const failed = vi.fn()
  persist(act, () => last).catch(failed)
  fail()
  await vi.advanceTimersByTimeAsync(100)
  expect(act).toHaveBeenCalledTimes(2)
  last = true
  fail()
  await vi.advanceTimersByTimeAsync(200)
  expect(act).toHaveBeenCalledTimes(3)
  expect(failed).not.toHaveBeenCalled()
  fail()
  await vi.advanceTimersByTimeAsync(0)
  expect(failed).toHaveBeenCalledWith(new Error('no'))
})
