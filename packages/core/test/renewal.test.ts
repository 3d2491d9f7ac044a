import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Renewal } from '../src/billing/settlement/renewal.js'
import type { Extended, Gone } from '../src/ledger/commands.js'
import { openCall, recordingEvents, recordingLogger, scriptedStore } from './open-call.js'

const TTL = 60_000
const extended: Extended = { kind: 'extended', expiresAt: 0, balance: 0, reserved: 0, available: 0 }

function renewing(answer: () => Extended | Gone | Promise<Extended | Gone> = () => extended) {
  const { store, sent } = scriptedStore(answer)
  const { logger, warnings } = recordingLogger()
  const { events, told } = recordingEvents()
  return { renewal: new Renewal(store, TTL, events, logger), warnings, told, extensions: () => sent.map(({ command }) => (command as { reservation: string }).reservation), sent }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it('has one timer for all calls, and none when no call runs', async () => {
  const { renewal } = renewing()
  expect(vi.getTimerCount()).toBe(0)
  const calls = Array.from({ length: 100 }, (_, i) => openCall({ reservation: `r${i}` }))
  for (const call of calls) renewal.start(call)
  expect(vi.getTimerCount()).toBe(1)
  for (const call of calls) renewal.stop(call)
  await vi.advanceTimersByTimeAsync(TTL / 3)
  expect(vi.getTimerCount()).toBe(0)
})

it('has a timer for each call where timers end with the request that set them', async () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  const { renewal, sent } = renewing()
  const first = openCall({ reservation: 'r1' })
  renewal.start(first)
  renewal.stop(first)
  vi.clearAllTimers() // as workerd does when the first request is over
  const second = openCall({ reservation: 'r2' })
  renewal.start(second)
  await vi.advanceTimersByTimeAsync(TTL)
  expect(sent.map(({ command }) => command)).toEqual(Array.from({ length: 3 }, () => ({ kind: 'extend', account: 'ada', reservation: 'r2', ttlMs: TTL })))
  renewal.stop(second)
  await vi.advanceTimersByTimeAsync(TTL)
  expect(sent).toHaveLength(3)
  expect(vi.getTimerCount()).toBe(0)
})

it('moves the deadline of a running call three times a lifetime', async () => {
  const { renewal, sent } = renewing()
  renewal.start(openCall())
  await vi.advanceTimersByTimeAsync(TTL * 2)
  expect(sent.map(({ command }) => command)).toEqual(Array.from({ length: 6 }, () => ({ kind: 'extend', account: 'ada', reservation: 'r1', ttlMs: TTL })))
})

it('lets no reservation come within a third of its end, whenever it began', async () => {
  const { renewal, sent } = renewing()
  const from = performance.now()
  for (let i = 0; i < 20; i++) {
    renewal.start(openCall({ reservation: `r${i}` }))
    await vi.advanceTimersByTimeAsync(TTL / 15)
  }
  await vi.advanceTimersByTimeAsync(TTL)
  for (let i = 0; i < 20; i++) {
    const moves = [from + (i * TTL) / 15, ...sent.filter(({ command }) => 'reservation' in command && command.reservation === `r${i}`).map(({ at }) => at), performance.now()]
    expect(Math.max(...moves.slice(1).map((at, n) => at - moves[n]!))).toBeLessThanOrEqual((TTL * 2) / 3)
  }
})

it('leaves out a call that just began', async () => {
  const { renewal, extensions } = renewing()
  renewal.start(openCall({ reservation: 'old' }))
  await vi.advanceTimersByTimeAsync(TTL / 3 - 1)
  renewal.start(openCall({ reservation: 'new' }))
  await vi.advanceTimersByTimeAsync(1)
  expect(extensions()).toEqual(['old'])
})

it('stops with the call', async () => {
  const { renewal, extensions } = renewing()
  const open = openCall()
  renewal.start(open)
  await vi.advanceTimersByTimeAsync(TTL / 3)
  renewal.stop(open)
  await vi.advanceTimersByTimeAsync(TTL * 3)
  expect(extensions()).toEqual(['r1'])
})

it('stops at the route\'s maxDuration, and says so once', async () => {
  const { renewal, extensions, warnings, told } = renewing()
  renewal.start(openCall({ route: { product: 'runs', price: 5, maxDuration: TTL } }))
  await vi.advanceTimersByTimeAsync(TTL * 3)
  expect(extensions()).toHaveLength(2)
  expect(warnings).toEqual([expect.stringMatching(/POST \/run.*maxDuration.*5 credits/)])
  expect(told).toEqual([{ name: 'expired', route: 'POST /run', account: 'ada', reservation: 'r1', ceiling: 5 }])
})

it('stops after ten minutes where the route does not say', async () => {
  const { renewal, extensions } = renewing()
  renewal.start(openCall())
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(extensions()).toHaveLength(29)
})

it('a store that can\'t be reached is tried again', async () => {
  let lost = true
  const { renewal, extensions } = renewing(() => (lost ? Promise.reject(new Error('lost')) : extended))
  renewal.start(openCall())
  await vi.advanceTimersByTimeAsync(TTL / 3)
  lost = false
  await vi.advanceTimersByTimeAsync(TTL / 3)
  expect(extensions()).toHaveLength(2)
})

describe('a reservation that is gone', () => {
  const gone: Gone = { kind: 'gone', balance: 0, reserved: 0, available: 0 }

  it('is told of once, and extended no more', async () => {
    const { renewal, extensions, told } = renewing(() => gone)
    renewal.start(openCall())
    await vi.advanceTimersByTimeAsync(TTL * 2)
    expect(extensions()).toEqual(['r1'])
    expect(told).toEqual([{ name: 'expired', route: 'POST /run', account: 'ada', reservation: 'r1', ceiling: 5 }])
  })

  it('is nothing to tell of when its call has ended meanwhile', async () => {
    let answer: (gone: Gone) => void
    const { renewal, told } = renewing(() => new Promise((resolve) => { answer = resolve }))
    const open = openCall()
    renewal.start(open)
    await vi.advanceTimersByTimeAsync(TTL / 3)
    renewal.stop(open)
    answer!(gone)
    await vi.advanceTimersByTimeAsync(1)
    expect(told).toEqual([])
  })
})
