import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { operations } from '../src/billing/operations/operations.js'
import type { BudgetKey } from '../src/ledger/state.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { recordingEvents, recordingLogger, scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'

const MINUTE = 60_000
const scope = { scope: 'key:a', window: 'day' } as const
const route = { product: 'research', price: 5, rates: { source: 0.5 }, maxDuration: MINUTE, operation: () => 'op1' }

/** An operation of a call with a budget, a request id and a version, and a worker that knows nothing but the store. */
async function pending(worker: object = {}) {
  const store = memoryStore({ now: Date.now })
  const { logger } = recordingLogger()
  const { on, told } = recordingEvents()
  const close = vi.spyOn(store, 'close')
  const { enter } = setUp({ prices: { 'POST /research': route }, priceBookVersion: 'v3', budgets: () => [{ ...scope, limit: 20 }] }, store)
  const { exchange } = await enter('POST /research', call({ headers: { 'x-request-id': 'req-9' } }))
  await exchange.close({ status: 202, json: '{}' })
  const use = async (budgets: readonly BudgetKey[] = [scope]) => (await store.send({ kind: 'balance', account: 'ada', budgets })).budgets
  const charge = async () => (await store.send({ kind: 'entries', account: 'ada', after: '', limit: 10 })).entries.find(({ kind }) => kind === 'charge')
  const ends = operations({ store, logger, on, ...worker })
  return { store, ends, use, charge, close, thresholds: () => told.filter(({ name }) => name === 'threshold') }
}

/** Its place as it was written before there were budgets and details. */
function outdated(store: Store, rates: object = route.rates) {
  return scriptedStore(async (command) => {
    const reply = await store.send(command)
    if (reply.kind !== 'located') return reply
    const { account, reservation, key, route } = JSON.parse(reply.place) as Record<string, unknown>
    return { ...reply, place: JSON.stringify({ account, reservation, key, route, rates }) }
  })
}

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 2, 3) })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('an operation that a worker ends', () => {
  it('holds its price in its call\'s budgets until then, and counts in them what it cost', async () => {
    const { ends, use } = await pending()
    expect(await use()).toEqual([{ spent: 0, held: 5e6 }])
    await ends.succeed('op1', { charge: 2 })
    expect(await use()).toEqual([{ spent: 2e6, held: 0 }])
  })

  it('gives all of it back when it failed', async () => {
    const { ends, use } = await pending()
    await ends.fail('op1')
    expect(await use()).toEqual([{ spent: 0, held: 0 }])
  })

  it('counts in them late as well', async () => {
    const { ends, use } = await pending()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(await use()).toEqual([{ spent: 0, held: 0 }])
    expect(await ends.succeed('op1', { charge: 2 })).toMatchObject({ late: true, charge: 2 })
    expect(await use()).toEqual([{ spent: 2e6, held: 0 }])
  })

  it('has an entry that says of its call what any other\'s does', async () => {
    const { ends, charge } = await pending()
    await ends.succeed('op1', { usage: { source: 3 } })
    expect(JSON.parse((await charge())!.details)).toEqual({ priceBookVersion: 'v3', requestId: 'req-9', items: [{ unit: 'source', quantity: 3, credits: 1.5 }] })
  })
})

describe('one that began before there were budgets and details', () => {
  it.each([[{ usage: { source: 3 } }, '{"items":[{"unit":"source","quantity":3,"credits":1.5}]}'], [{ charge: 1.5 }, '']])('ends as it would have then: %j', async (success, details) => {
    const { store, charge } = await pending()
    const old = outdated(store)
    expect(await operations({ store: old.store }).succeed('op1', success)).toMatchObject({ kind: 'succeeded', charge: 1.5 })
    expect(await charge()).toMatchObject({ amount: -1_500_000, details })
    expect(old.sent.find(({ command }) => command.kind === 'finish')?.command).toMatchObject({ budgets: [] })
  })

  it('also late', async () => {
    const { store } = await pending()
    await vi.advanceTimersByTimeAsync(MINUTE)
    const { logger, warnings } = recordingLogger()
    expect(await operations({ store: outdated(store).store, logger }).succeed('op1', { charge: 2 })).toMatchObject({ late: true, charge: 2 })
    expect(warnings).toHaveLength(1)
  })

  it('also with more lines than an entry keeps', async () => {
    const { store, charge } = await pending()
    const units = (quantity: number) => Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`unit ${i}`, quantity]))
    await operations({ store: outdated(store, units(0.01)).store }).succeed('op1', { usage: units(1) })
    expect(await charge()).toMatchObject({ amount: -4_000_000, details: '' })
  })
})

describe('a worker', () => {
  it('tells thresholds that its operations pass', async () => {
    const { ends, thresholds, store } = await pending({ onThreshold: [{ below: 8 }] })
    await store.send({ kind: 'watch', account: 'ada', watch: 'w', thresholds: [{ kind: 'below', amount: 8e6 }] })
    await ends.succeed('op1', { charge: 3 })
    await vi.advanceTimersByTimeAsync(0)
    expect(thresholds()).toEqual([{ name: 'threshold', account: 'ada', balance: 7, available: 7, below: 8 }])
  })

  it('is closed when a top-up that it began has ended; then its store is', async () => {
    let pay = (_credits: number) => {}
    const { ends, close, store } = await pending({ autoTopUp: { below: 8, topUp: () => new Promise((resolve) => { pay = resolve }) } })
    await ends.succeed('op1', { charge: 3 })
    const closed = ends.close()
    await vi.advanceTimersByTimeAsync(MINUTE)
    expect(close).not.toHaveBeenCalled()
    pay(10)
    await closed
    expect(close).toHaveBeenCalledOnce()
    expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 17e6 })
  })

  it('hands on what it has learned when it is closed', async () => {
    const { ends, store } = await pending()
    await ends.succeed('op1', { charge: 3 })
    await ends.close()
    expect((await store.send({ kind: 'counts', name: 'POST /research' })).counts).not.toEqual({})
  })
})
