import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Postings } from '../src/billing/postings.js'
import { Renewal } from '../src/billing/renewal.js'
import { apply } from '../src/ledger/apply.js'
import type { Closed, Command, Reply, Settle } from '../src/ledger/commands.js'
import { CLOSED_KEPT_MS } from '../src/ledger/limits.js'
import { emptyAccount } from '../src/ledger/state.js'
import { memoryStore } from '../src/store/memory.js'
import { never, openCall, recordingLogger, scriptedStore } from './open-call.js'

const settle: Settle = { kind: 'settle', account: 'ada', reservation: 'r1', ceiling: 5_000_000, charge: 2_000_000, product: 'runs', firstSentAt: 0 }
const closed: Closed = { kind: 'settled', ceiling: 5_000_000, charge: 2_000_000, shortfall: 0, late: false, balance: 8_000_000, reserved: 0, available: 8_000_000 }
const failing = () => Promise.reject(new Error('connection lost'))

function postingTo(answer: (command: Command) => Reply | Promise<Reply>) {
  const { store, sent } = scriptedStore(answer)
  const { logger, warnings, errors } = recordingLogger()
  const renewal = new Renewal(store, 60_000, logger)
  const stopped = vi.spyOn(renewal, 'stop')
  return { postings: new Postings(store, 1_000, renewal, logger), sent, stopped, warnings, errors }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('an ending that reaches the store is posted, and its reservation renewed no longer', async () => {
  const { postings, sent, stopped } = postingTo(() => closed)
  const open = openCall()
  expect(await postings.post(open, settle)).toEqual({ kind: 'posted', closed })
  expect(sent.map(({ command }) => command)).toEqual([settle])
  expect(stopped).toHaveBeenCalledWith(open)
})

it('one that does not is kept and sent again, the same, further and further apart, until it does', async () => {
  let reachable = false
  const { postings, sent, stopped } = postingTo(() => (reachable ? closed : failing()))
  expect(await postings.post(openCall(), settle)).toEqual({ kind: 'kept' })
  await vi.advanceTimersByTimeAsync(20_000)
  const pauses = sent.slice(1).map(({ at }, i) => Math.round(at - sent[i]!.at))
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  expect(stopped).not.toHaveBeenCalled()
  reachable = true
  await vi.advanceTimersByTimeAsync(60_000)
  expect(sent).toHaveLength(pauses.length + 2)
  expect(sent.every(({ command }) => command === settle)).toBe(true)
  expect(stopped).toHaveBeenCalledOnce()
})

it('one that gets no answer is kept after the time-out', async () => {
  const { postings } = postingTo(() => never)
  const posting = postings.post(openCall(), settle)
  const done = vi.fn()
  void posting.then(done)
  await vi.advanceTimersByTimeAsync(999)
  expect(done).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(done).toHaveBeenCalledWith({ kind: 'kept' })
})

it('a late charge is reported with what could not be taken', async () => {
  const { postings, warnings } = postingTo(() => ({ ...closed, charge: 1_500_000, shortfall: 500_000, late: true }))
  await postings.post(openCall(), settle)
  expect(warnings).toEqual([expect.stringMatching(/POST \/run.*"ada".*charged 1.5 credits late, 0.5 more could not be taken/)])
})

describe('a settle that the store can tell nothing about any more', () => {
  /** A store that took the settle, lost the answer, and has forgotten the reservation since. */
  function forgetful(charges: readonly string[], before = 0) {
    const start = Date.now()
    let [state] = apply(emptyAccount, { kind: 'grant', account: 'ada', grant: 'g', amount: 100_000_000, reason: '' }, start)
    for (const reservation of [...Array.from({ length: before }, (_, i) => `other${i}`), ...charges]) {
      ;[state] = apply(state, { ...settle, reservation, charge: 3, firstSentAt: start }, start)
    }
    const answer = (command: Command): Reply => {
      const [next, reply] = apply(state, command, start + 2 * CLOSED_KEPT_MS)
      state = next
      return reply
    }
    return { answer, firstSentAt: start, balance: () => state.balance }
  }

  it('is not charged again when its entry is in the journal, wherever', async () => {
    const { answer, firstSentAt, balance } = forgetful(['r1', 'r2'], 1_500)
    const before = balance()
    const { postings, sent } = postingTo(answer)
    expect(await postings.post(openCall(), { ...settle, firstSentAt })).toMatchObject({ kind: 'posted', closed: { kind: 'settled', charge: 3, late: false, balance: before } })
    expect(balance()).toBe(before)
    expect(sent.map(({ command }) => command.kind)).toEqual(['settle', 'entries', 'entries', 'balance'])
  })

  it('is charged, late, when the journal has no entry of it', async () => {
    const { answer, firstSentAt, balance } = forgetful(['r2'])
    const before = balance()
    const { postings, warnings } = postingTo(answer)
    expect(await postings.post(openCall(), { ...settle, firstSentAt })).toMatchObject({ kind: 'posted', closed: { charge: 2_000_000, late: true } })
    expect(balance()).toBe(before - 2_000_000)
    expect(warnings).toHaveLength(1)
  })

  it.each(['entries', 'balance'])('is kept when the store stops answering at its %s', async (kind) => {
    const { answer, firstSentAt } = forgetful(['r1'])
    let hangs = true
    const { postings, stopped } = postingTo((command) => (hangs && command.kind === kind ? never : answer(command)))
    const done = vi.fn()
    void postings.post(openCall(), { ...settle, firstSentAt }).then(done)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(done).toHaveBeenCalledWith({ kind: 'kept' })
    hangs = false
    await vi.advanceTimersByTimeAsync(200)
    expect(stopped).toHaveBeenCalledOnce()
  })
})

describe('drain', () => {
  it('waits for what is on its way and for what is kept', async () => {
    let lost = true
    const { postings, sent } = postingTo(() => (lost ? failing() : closed))
    void postings.post(openCall(), settle)
    const drained = vi.fn()
    void postings.drain().then(drained)
    await vi.advanceTimersByTimeAsync(99)
    lost = false
    expect(drained).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(drained).toHaveBeenCalled()
    expect(sent).toHaveLength(2)
  })

  it('has nothing to wait for when all is posted', async () => {
    const { postings } = postingTo(() => closed)
    await postings.post(openCall(), settle)
    await expect(postings.drain()).resolves.toBeUndefined()
  })

  it('gives up what fails once more, and leaves a record to post it by hand', async () => {
    const { postings, sent, stopped, errors } = postingTo(failing)
    await postings.post(openCall(), settle)
    const drained = postings.drain()
    await vi.advanceTimersByTimeAsync(100)
    await drained
    expect(sent).toHaveLength(2)
    expect(errors).toEqual([expect.stringContaining(JSON.stringify(settle))])
    expect(stopped).toHaveBeenCalledOnce()
  })
})

it('keeps 10,000 at most; what comes then is recorded at once', async () => {
  const { postings, errors } = postingTo(failing)
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => postings.post(openCall(), { ...settle, reservation: `r${i}` })))
  expect(errors).toEqual([])
  await postings.post(openCall(), { ...settle, reservation: 'the last' })
  expect(errors).toEqual([expect.stringContaining('"the last"')])
})

it('a charge that was kept is posted once, whichever of its tries arrived', async () => {
  const store = memoryStore()
  await store.send({ kind: 'grant', account: 'ada', grant: 'g', amount: 10_000_000, reason: '' })
  await store.send({ kind: 'reserve', account: 'ada', reservation: 'r1', ceiling: 5_000_000, allowance: 0, ttlMs: 60_000 })
  let tries = 0
  const { postings } = postingTo(async (command) => {
    const reply = await store.send(command)
    return ++tries < 4 ? failing() : reply
  })
  await postings.post(openCall(), { ...settle, firstSentAt: Date.now() })
  await vi.advanceTimersByTimeAsync(1_000)
  const { entries } = await store.send({ kind: 'entries', account: 'ada', after: '', limit: 10 })
  expect(entries.map(({ amount }) => amount)).toEqual([10_000_000, -2_000_000])
  expect(tries).toBe(4)
})
