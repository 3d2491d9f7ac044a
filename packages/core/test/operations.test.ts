import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { operations } from '../src/billing/operations/operations.js'
import type { FareboxError } from '../src/errors.js'
import { createEngine } from '../src/engine.js'
import { RECORD_KEPT_MS } from '../src/ledger/limits.js'
import type { Command } from '../src/store/commands.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { recordingEvents, recordingLogger, scriptedStore } from './open-call.js'
import type { Success } from '../src/billing/operations/operation-end.js'
import type { ChargeItem } from '../src/billing/prices/route.js'
import { call } from './requests.js'

const MINUTE = 60_000
const route = { product: 'research', price: 5, rates: { source: 0.5 }, maxDuration: MINUTE, operation: () => 'op1' }

/** A worker with a store of its own clock, and ada's operation, which may cost 5 of her 10 credits. */
async function begin(wrap: (store: Store) => Store = (store) => store) {
  const store = memoryStore({ now: Date.now })
  const { on, told, names } = recordingEvents()
  const { logger, warnings, errors } = recordingLogger()
  const engine = createEngine({ account: () => 'ada', store, allowance: 10, prices: {}, logger })
  const exchange = engine.exchange()
  const ask = () => exchange.enter({ key: 'POST /research', terms: route }, call(), false)
  const answered = () => exchange.close({ status: 202, json: '{}' })
  const worker = operations({ store: wrap(store), storeTimeout: 1_000, on, logger })
  const standing = async () => {
    const { balance, reserved } = await store.send({ kind: 'balance', account: 'ada' })
    return { balance: balance / 1e6, reserved: reserved / 1e6 }
  }
  const read = () => store.send({ kind: 'operation', account: 'ada', operation: 'op1' })
  return { store, worker, told, names, warnings, errors, ask, answered, standing, read }
}

async function pending(wrap?: (store: Store) => Store) {
  const began = await begin(wrap)
  await began.ask()
  await began.answered()
  expect(await began.standing()).toEqual({ balance: 10, reserved: 5 })
  return began
}

/** What is asked, while the waits of the worker pass. */
async function passing<T>(work: Promise<T>): Promise<T> {
  const [settled] = await Promise.allSettled([work, vi.advanceTimersByTimeAsync(10_000)])
  if (settled.status === 'rejected') throw settled.reason
  return settled.value
}

const outcome = { operation: 'op1', account: 'ada', ceiling: 5, charge: 0, shortfall: 0, late: false }
const event = { route: 'POST /research', account: 'ada', reservation: expect.any(String) as string, ceiling: 5 }

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('succeed', () => {
  it.each([
    ['a charge', { charge: 1.5 }, 1.5],
    ['no charge at all', { charge: 0 }, 0],
    ['usage', { usage: { source: 3 } }, 1.5, [{ unit: 'source', quantity: 3, credits: 1.5 }]],
    ['usage of nothing', { usage: {} }, 0],
    ['a charge, whatever the usage', { charge: 2, usage: { source: 3 } }, 2],
    ['neither: the price', {}, 5],
    ['nothing said: the price', undefined, 5],
  ] satisfies [string, Success | undefined, number, ChargeItem[]?][])('with %s', async (_, success, charge, items = []) => {
    const { worker, standing, told } = await pending()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await worker.succeed('op1', success)).toEqual({ ...outcome, kind: 'succeeded', charge })
    expect(await standing()).toEqual({ balance: 10 - charge, reserved: 0 })
    expect(told).toEqual([{ name: 'settled', ...event, product: 'research', charge, items, durationMs: 3_000, pending: false }])
  })

  it.each([[{ charge: 7 }, 7], [{ usage: { source: 100 } }, 50]])('with %j is clamped to its price, and says so', async (success, cost) => {
    const { worker, standing, told, warnings } = await pending()
    expect(await worker.succeed('op1', success)).toMatchObject({ kind: 'succeeded', charge: 5 })
    expect(await standing()).toEqual({ balance: 5, reserved: 0 })
    expect(told).toEqual([{ name: 'clamped', ...event, cost }, expect.objectContaining({ name: 'settled', charge: 5 })])
    expect(warnings).toEqual([expect.stringContaining(`POST /research cost ${cost} credits, clamped to its price of 5`)])
  })

  it.each([
    ['a unit without a rate', { usage: { domain: 1 } }, 'PRICE_INVALID'],
    ['a quantity that is none', { usage: { source: -1 } }, 'PRICE_INVALID'],
    ['usage that is no object', { usage: null }, 'ARGUMENT_INVALID'],
    ['a charge below nothing', { charge: -1 }, 'ARGUMENT_INVALID'],
    ['a charge that is no number', { charge: NaN }, 'ARGUMENT_INVALID'],
    ['a charge of null', { charge: null }, 'ARGUMENT_INVALID'],
    ['usage that is no amount', { usage: { source: Infinity } }, 'ARGUMENT_INVALID'],
    ['a result too large', { result: 'x'.repeat(262_143) }, 'ARGUMENT_INVALID'],
    ['a result that is a function', { result: () => {} }, 'ARGUMENT_INVALID'],
    ['a result that JSON has no number for', { result: 5n }, 'ARGUMENT_INVALID'],
    ['a result that goes round', { result: round() }, 'ARGUMENT_INVALID'],
  ])('with %s is refused and charges nothing; it can be done right after', async (_, success, code) => {
    const { worker, standing, told } = await pending()
    await expect(worker.succeed('op1', success as never)).rejects.toMatchObject({ code })
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    expect(told).toEqual([])
    expect(await worker.succeed('op1', { charge: 1 })).toMatchObject({ kind: 'succeeded', charge: 1 })
  })

  it('twice is done once: the first end is answered, and told of, whatever the second says', async () => {
    const { worker, standing, names, read } = await pending()
    const first = await worker.succeed('op1', { charge: 1, result: 'first' })
    expect(await worker.succeed('op1', { charge: 3, result: 'second' })).toEqual(first)
    expect(await worker.fail('op1', { result: 'third' })).toEqual(first)
    expect(await worker.succeed('op1', { usage: { domain: 1 } })).toEqual(first)
    expect(await standing()).toEqual({ balance: 9, reserved: 0 })
    expect(await read()).toMatchObject({ status: 'succeeded', result: '"first"' })
    expect(names()).toEqual(['settled'])
  })

  it('after it has expired is late: what can still be taken is, and the rest is known', async () => {
    const { worker, store, standing, told, warnings } = await pending()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
    await store.send({ kind: 'reserve', account: 'ada', reservation: 'other', ceiling: 8_000_000, allowance: 0, ttlMs: MINUTE, key: '', payload: '' })
    expect(await worker.succeed('op1', { charge: 3 })).toEqual({ ...outcome, kind: 'succeeded', charge: 2, shortfall: 1, late: true })
    expect(told).toEqual([
      { name: 'late', ...event, charge: 2, shortfall: 1 },
      { name: 'shortfall', ...event, shortfall: 1 },
      expect.objectContaining({ name: 'settled', charge: 2 }),
    ])
    expect(warnings).toEqual([expect.stringMatching(/"ada" was charged 2 credits late, 1 more/)])
  })
})

function round(): unknown {
  const ring: unknown[] = []
  ring.push(ring)
  return ring
}

describe('fail', () => {
  it('costs nothing and keeps what it is told', async () => {
    const { worker, standing, told, read } = await pending()
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await worker.fail('op1', { result: { reason: 'no sources' } })).toEqual({ ...outcome, kind: 'failed' })
    expect(await standing()).toEqual({ balance: 10, reserved: 0 })
    expect(await read()).toMatchObject({ status: 'failed', result: '{"reason":"no sources"}' })
    expect(told).toEqual([{ name: 'released', ...event, durationMs: 3_000, pending: false }])
    expect(await worker.succeed('op1')).toMatchObject({ kind: 'failed', charge: 0 })
  })
})

describe('progress', () => {
  it('is kept, and the operation goes on', async () => {
    const { worker, read, told } = await pending()
    expect(await worker.progress('op1', { done: 3, of: 7 })).toEqual({ ...outcome, kind: 'pending' })
    expect(await read()).toMatchObject({ status: 'pending', progress: '{"done":3,"of":7}' })
    expect(told).toEqual([])
  })

  it('of what is over changes nothing', async () => {
    const { worker, read } = await pending()
    await worker.succeed('op1')
    expect(await worker.progress('op1', 50)).toMatchObject({ kind: 'succeeded' })
    expect(await read()).toMatchObject({ progress: '' })
  })

  it('that JSON can\'t say is refused', async () => {
    const { worker } = await pending()
    await expect(worker.progress('op1', round())).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('extend', () => {
  it('keeps it open from now on, and findable', async () => {
    const { worker, standing, store } = await pending()
    await vi.advanceTimersByTimeAsync(MINUTE - 1)
    expect(await worker.extend('op1', 5 * MINUTE)).toMatchObject({ kind: 'pending' })
    await vi.advanceTimersByTimeAsync(5 * MINUTE - 1)
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
    await vi.advanceTimersByTimeAsync(RECORD_KEPT_MS)
    expect(await store.send({ kind: 'locate', operation: 'op1' })).toMatchObject({ kind: 'located' })
    expect(await worker.succeed('op1', { charge: 1 })).toMatchObject({ kind: 'succeeded', late: true, charge: 1 })
  })

  it('never shortens', async () => {
    const { worker, standing } = await pending()
    await worker.extend('op1', 1)
    await vi.advanceTimersByTimeAsync(MINUTE - 1)
    expect(await standing()).toMatchObject({ reserved: 5 })
  })

  it.each([0, -1, 0.5, NaN, Infinity, '5'])('by %s is refused', async (ms) => {
    const { worker } = await pending()
    await expect(worker.extend('op1', ms as number)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('an operation that nobody knows', () => {
  it('is waited for, then unknown, and nothing is charged', async () => {
    const { worker, standing } = await pending()
    for (const ask of [() => worker.succeed('op2'), () => worker.fail('op2'), () => worker.progress('op2', 1), () => worker.extend('op2', 1)]) {
      expect(await passing(ask())).toEqual({ kind: 'unknown' })
    }
    expect(await standing()).toEqual({ balance: 10, reserved: 5 })
  })

  it.each(['', 'x'.repeat(257), '\ud800', 5])('%j can be none', async (operation) => {
    const { worker } = await pending()
    await expect(worker.succeed(operation as string)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' })
  })
})

describe('a worker that is done before its call was answered', () => {
  it.each([0, 300, 1_400])('waits for that: %s ms', async (after) => {
    const { worker, ask, answered, standing } = await begin()
    await ask()
    const done = worker.succeed('op1', { charge: 2 })
    await vi.advanceTimersByTimeAsync(after)
    await answered()
    expect(await passing(done)).toMatchObject({ kind: 'succeeded', charge: 2 })
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
  })

  it('also between the moment it can be found and the one it is there', async () => {
    const { store, worker, ask, answered, standing } = await begin()
    await ask()
    const send = store.send.bind(store)
    let arrive = () => {}
    const held = new Promise<void>((resolve) => { arrive = resolve })
    store.send = async (command) => {
      if (command.kind === 'hold') await held
      return send(command)
    }
    const closed = answered()
    const done = worker.succeed('op1', { charge: 2 })
    await vi.advanceTimersByTimeAsync(300)
    arrive()
    expect(await passing(done)).toMatchObject({ kind: 'succeeded', charge: 2 })
    await closed
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
  })
})

describe('a store that can\'t be reached', () => {
  it.each(['locate', 'operation', 'finish'])('at its %s is tried again until it answers, and charged once', async (at) => {
    let lost = true
    const lossy = (store: Store): Store => scriptedStore(async (command: Command) => {
      if (!lost || command.kind !== at) return store.send(command)
      // It arrives all the same: only its answer is lost.
      await store.send(command)
      throw new Error('lost')
    }).store
    const { worker, standing } = await pending(lossy)
    const done = worker.succeed('op1', { charge: 2 })
    await vi.advanceTimersByTimeAsync(5_000)
    lost = false
    expect(await passing(done)).toMatchObject({ kind: 'succeeded', charge: 2 })
    expect(await standing()).toEqual({ balance: 8, reserved: 0 })
  })

  it('for more than a minute is given up, with a record of what was to be charged', async () => {
    const { worker, errors } = await pending(() => scriptedStore(() => Promise.reject(new Error('away'))).store)
    const code = worker.succeed('op1', { charge: 2 }).then(() => 'none', (error: FareboxError) => error.code)
    await vi.advanceTimersByTimeAsync(59_000)
    expect(errors).toEqual([])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await code).toBe('STORE_UNAVAILABLE')
    expect(errors).toEqual([expect.stringContaining('{"charge":2,"operation":"op1"}')])
  })
})
