import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Unreserved } from '../src/billing/admission/unreserved.js'
import { parseOptions } from '../src/billing/parse-options.js'
import { Delivery } from '../src/billing/settlement/delivery.js'
import { Postings } from '../src/billing/settlement/postings.js'
import { Renewal } from '../src/billing/settlement/renewal.js'
import type { Spool } from '../src/billing/settlement/spool.js'
import { Watcher } from '../src/billing/thresholds/watcher.js'
import type { Closed, Settle } from '../src/ledger/commands.js'
import type { Command, ReplyTo } from '../src/store/commands.js'
import { openCall, recordingEvents, recordingLogger, scriptedStore } from './open-call.js'

const settle: Settle = {
  kind: 'settle', account: 'ada', reservation: 'r1', ceiling: 5_000_000, charge: 2_000_000, product: 'runs', firstSentAt: 7, details: '{"requestId":"q"}',
  budgets: [{ scope: 'key:a', window: 'day' }], key: 'k', payload: 'p', response: '',
}
const closed: Closed = { kind: 'settled', ceiling: 5_000_000, charge: 2_000_000, shortfall: 0, late: false, balance: 8_000_000, reserved: 0, available: 8_000_000 }
const line = (command: object) => JSON.stringify({ key: 'POST /run', ceiling: 5_000_000, command })

/** A spool whose records are in memory: those in `left` belong to nobody. */
class ArraySpool implements Spool {
  readonly records = new Set<string>()
  readonly left: string[] = []
  fault: Error | undefined
  closed = false

  append(record: string) {
    if (this.fault) return Promise.reject(this.fault)
    this.records.add(record)
    return Promise.resolve(this.#handle(record))
  }

  take() {
    if (this.fault) return Promise.reject(this.fault)
    return Promise.resolve(this.left.splice(0, 256).map((record) => ({ record, ...this.#handle(record) })))
  }

  close() {
    this.closed = true
    return Promise.resolve()
  }

  #handle(record: string) {
    return { remove: () => void this.records.delete(record), leave: () => void this.left.push(record) }
  }
}

function postingTo(answer: (command: Command) => ReplyTo<Command> | Promise<ReplyTo<Command>>, spool = new ArraySpool()) {
  const { store, sent } = scriptedStore(answer)
  const { logger, errors } = recordingLogger()
  const { events, told } = recordingEvents(logger)
  const renewal = new Renewal(store, 60_000, events, logger)
  const stopped = vi.spyOn(renewal, 'stop')
  const unreserved = new Unreserved(5_000_000)
  const delivery = new Delivery(store, 1_000, new Watcher(parseOptions({ account: () => 'ada', store }), events), events)
  return { postings: new Postings(delivery, renewal, unreserved, spool, logger), sent, stopped, errors, told, spool, unreserved }
}

/** A store that is away until it is told otherwise. */
function awayStore() {
  const state = { away: true }
  return { state, answer: () => (state.away ? Promise.reject(new Error('connection lost')) : closed) }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a spool', () => {
  it('has an ending before its caller hears that it is kept, all that posts it but the response, and loses it when it is posted', async () => {
    const { state, answer } = awayStore()
    const { postings, spool } = postingTo(answer)
    expect(await postings.post(openCall(), { ...settle, response: 'a long one' })).toEqual({ kind: 'kept' })
    expect([...spool.records]).toEqual([line(settle)])
    await vi.advanceTimersByTimeAsync(20_000)
    expect(spool.records.size).toBe(1)
    state.away = false
    await vi.advanceTimersByTimeAsync(5_000)
    expect([...spool.records]).toEqual([])
    expect(spool.left).toEqual([])
  })

  it('has nothing that was posted at once', async () => {
    const { postings, spool } = postingTo(() => closed)
    const append = vi.spyOn(spool, 'append')
    await postings.post(openCall(), settle)
    expect(append).not.toHaveBeenCalled()
  })

  it('that fails changes nothing but the log', async () => {
    const { state, answer } = awayStore()
    const { postings, spool, sent, errors } = postingTo(answer)
    await vi.advanceTimersByTimeAsync(0)
    spool.fault = new Error('ENOSPC')
    expect(await postings.post(openCall(), settle)).toEqual({ kind: 'kept' })
    expect(errors).toEqual([expect.stringContaining('could not be written to the spool')])
    state.away = false
    await vi.advanceTimersByTimeAsync(100)
    expect(sent).toHaveLength(2)
  })

  it('that can\'t be read is logged once, each time it begins', async () => {
    const spool = new ArraySpool()
    spool.fault = new Error('EACCES')
    const { errors } = postingTo(() => closed, spool)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(errors).toEqual([expect.stringContaining('the spool can\'t be read')])
    spool.fault = undefined
    await vi.advanceTimersByTimeAsync(2_500)
    spool.fault = new Error('EACCES')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(errors).toHaveLength(2)
  })

  it('takes what 10,000 in memory leave no room for, which is posted when they are', async () => {
    // Ten thousand faked timers take minutes.
    vi.useRealTimers()
    const { state, answer } = awayStore()
    const { postings, spool, sent, stopped, errors } = postingTo(answer)
    await Promise.all(Array.from({ length: 10_600 }, (_, i) => postings.post(openCall({ reservation: `r${i}` }), { ...settle, reservation: `r${i}` })))
    expect(spool.left).toHaveLength(600)
    expect(stopped).toHaveBeenCalledTimes(600)
    state.away = false
    await vi.waitFor(() => expect(spool.records.size).toBe(0), { timeout: 20_000, interval: 50 })
    expect(spool.left).toEqual([])
    expect(errors).toEqual([])
    expect(new Set(sent.map(({ command }) => (command as Settle).reservation)).size).toBe(10_600)
  })

  it('keeps what still can\'t be posted at the end, and is closed then', async () => {
    const { answer } = awayStore()
    const { postings, spool, sent, stopped, errors } = postingTo(answer)
    await postings.post(openCall(), settle)
    const drained = postings.drain()
    await vi.advanceTimersByTimeAsync(100)
    await drained
    expect(sent).toHaveLength(2)
    expect(spool.left).toEqual([line(settle)])
    expect(spool.closed).toBe(true)
    expect(stopped).toHaveBeenCalledOnce()
    expect(errors).toEqual([])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sent).toHaveLength(2)
  })
})

describe('what an earlier process left', () => {
  it('is posted, as the call it was, and gone', async () => {
    const spool = new ArraySpool()
    spool.left.push(...[...Array(600).keys()].map((i) => line({ ...settle, reservation: `r${i}` })))
    for (const record of spool.left) spool.records.add(record)
    const { sent, told } = postingTo(() => ({ ...closed, late: true, shortfall: 500_000 }), spool)
    await vi.advanceTimersByTimeAsync(100)
    expect(sent.map(({ command }) => command)).toEqual([...Array(600).keys()].map((i) => ({ ...settle, reservation: `r${i}` })))
    expect(told[0]).toEqual({ name: 'late', route: 'POST /run', account: 'ada', reservation: 'r0', ceiling: 5, charge: 2, shortfall: 0.5 })
    expect(spool.records.size).toBe(0)
  })

  it('is found later as well', async () => {
    const { sent, spool } = postingTo(() => closed)
    await vi.advanceTimersByTimeAsync(1_000)
    spool.left.push(line(settle))
    await vi.advanceTimersByTimeAsync(2_600)
    expect(sent.map(({ command }) => command)).toEqual([settle])
  })

  it.each(['{"key":"POST /run","ceil', '5', 'null', '{}', line({ kind: 'grant', account: 'ada' })])('is skipped with a log line where it is %s', async (torn) => {
    const spool = new ArraySpool()
    spool.left.push(torn, line(settle))
    spool.records.add(torn)
    const { sent, errors } = postingTo(() => closed, spool)
    await vi.advanceTimersByTimeAsync(100)
    expect(errors).toEqual([expect.stringContaining(torn)])
    expect(sent.map(({ command }) => command)).toEqual([settle])
    expect(spool.records.size).toBe(0)
  })

  it('stays left when the store is away until the end', async () => {
    const spool = new ArraySpool()
    spool.left.push(line(settle))
    const { postings } = postingTo(awayStore().answer, spool)
    const drained = postings.drain()
    await vi.advanceTimersByTimeAsync(5_000)
    await drained
    expect(spool.left).toEqual([line(settle)])
  })
})

it('what runs without a reservation counts until it is posted', async () => {
  const { state, answer } = awayStore()
  const { postings, unreserved } = postingTo(answer)
  expect(unreserved.admit('r1', 5_000_000)).toBe(true)
  await postings.post(openCall({ reserved: false }), settle)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(unreserved.admit('r2', 1)).toBe(false)
  state.away = false
  await vi.advanceTimersByTimeAsync(1_000)
  expect(unreserved.admit('r2', 5_000_000)).toBe(true)
})
