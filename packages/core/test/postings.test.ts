import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Unreserved } from '../src/billing/admission/unreserved.js'
import { Delivery } from '../src/billing/settlement/delivery.js'
import { Postings } from '../src/billing/settlement/postings.js'
import { Renewal } from '../src/billing/settlement/renewal.js'
import { apply } from '../src/ledger/apply.js'
import type { Closed, LedgerCommand, OperationRead, Settle } from '../src/ledger/commands.js'
import { CLOSED_KEPT_MS, RECORD_KEPT_MS } from '../src/ledger/limits.js'
import { emptyAccount } from '../src/ledger/state.js'
import type { Command, ReplyTo } from '../src/store/commands.js'
import { memoryStore } from '../src/store/memory.js'
import { parseOptions } from '../src/billing/parse-options.js'
import { Watcher } from '../src/billing/thresholds/watcher.js'
import { never, openCall, recordingEvents, recordingLogger, scriptedStore } from './open-call.js'

const settle: Settle = { kind: 'settle', account: 'ada', reservation: 'r1', ceiling: 5_000_000, charge: 2_000_000, product: 'runs', firstSentAt: 0, key: '', payload: '', response: '' }
const closed: Closed = { kind: 'settled', ceiling: 5_000_000, charge: 2_000_000, shortfall: 0, late: false, balance: 8_000_000, reserved: 0, available: 8_000_000 }
type Reply = ReplyTo<Command>
const failing = () => Promise.reject(new Error('connection lost'))

function postingTo(answer: (command: Command) => Reply | Promise<Reply>) {
  const { store, sent } = scriptedStore(answer)
  const { logger, warnings, errors } = recordingLogger()
  const { events, told } = recordingEvents(logger)
  const renewal = new Renewal(store, 60_000, events, logger)
  const stopped = vi.spyOn(renewal, 'stop')
  const delivery = new Delivery(store, 1_000, new Watcher(parseOptions({ account: () => 'ada', store }), events), events)
  return { postings: new Postings(delivery, renewal, new Unreserved(0), undefined, logger), sent, stopped, warnings, errors, told }
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
  expect(await postings.post(open, settle)).toEqual({ kind: 'posted', ended: closed })
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
  for (const { command } of sent) expect(command).toEqual(settle)
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
  const { postings, warnings, told } = postingTo(() => ({ ...closed, charge: 1_500_000, shortfall: 500_000, late: true }))
  await postings.post(openCall(), settle)
  const call = { route: 'POST /run', account: 'ada', reservation: 'r1', ceiling: 5 }
  expect(told).toEqual([{ name: 'late', ...call, charge: 1.5, shortfall: 0.5 }, { name: 'shortfall', ...call, shortfall: 0.5 }])
  expect(warnings).toEqual([expect.stringMatching(/POST \/run.*"ada".*charged 1.5 credits late, 0.5 more could not be taken/)])
})

describe('a settle that the store can tell nothing about any more', () => {
  /** A store that took the settle, lost the answer, and has forgotten the reservation since. */
  function forgetful(charges: readonly string[], before = 0) {
    const start = Date.now()
    let [state] = apply(emptyAccount, { kind: 'grant', account: 'ada', grant: 'g', amount: 100_000_000, reason: '', source: '', priority: 50, expiresAt: 0 }, start)
    for (const reservation of [...Array.from({ length: before }, (_, i) => `other${i}`), ...charges]) {
      ;[state] = apply(state, { ...settle, reservation, charge: 3, firstSentAt: start }, start)
    }
    const answer = (command: Command): Reply => {
      const [next, reply] = apply(state, command as LedgerCommand, start + 2 * CLOSED_KEPT_MS)
      state = next
      return reply
    }
    return { answer, firstSentAt: start, balance: () => state.balance }
  }

  it('is not charged again when its entry is in the journal, wherever', async () => {
    const { answer, firstSentAt, balance } = forgetful(['r1', 'r2'], 1_500)
    const before = balance()
    const { postings, sent } = postingTo(answer)
    expect(await postings.post(openCall(), { ...settle, firstSentAt })).toMatchObject({ kind: 'posted', ended: { kind: 'settled', charge: 3, late: false, balance: before } })
    expect(balance()).toBe(before)
    expect(sent.map(({ command }) => command.kind)).toEqual(['settle', 'entries', 'entries', 'balance'])
  })

  it('is charged, late, when the journal has no entry of it', async () => {
    const { answer, firstSentAt, balance } = forgetful(['r2'])
    const before = balance()
    const { postings, warnings } = postingTo(answer)
    expect(await postings.post(openCall(), { ...settle, firstSentAt })).toMatchObject({ kind: 'posted', ended: { charge: 2_000_000, late: true } })
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
  await store.send({ kind: 'grant', account: 'ada', grant: 'g', amount: 10_000_000, reason: '', source: '', priority: 50, expiresAt: 0 })
  await store.send({ kind: 'reserve', account: 'ada', reservation: 'r1', ceiling: 5_000_000, allowance: 0, ttlMs: 60_000, key: '', payload: '' })
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

it('the response that goes with a charge is sent once: ten thousand of them would not fit here', async () => {
  let lost = true
  const { postings, sent } = postingTo(() => (lost ? failing() : closed))
  await postings.post(openCall(), { ...settle, key: 'k', payload: 'p', response: 'a long one' })
  lost = false
  await vi.advanceTimersByTimeAsync(100)
  expect(sent.map(({ command }) => command)).toEqual([{ ...settle, key: 'k', payload: 'p', response: 'a long one' }, { ...settle, key: 'k', payload: 'p', response: '' }])
})

describe('the hold of an operation', () => {
  const hold = { kind: 'hold', account: 'ada', reservation: 'r1', operation: 'op1', ceiling: 5_000_000, product: 'runs', ttlMs: 600_000, key: '', payload: '', response: '', place: 'here' } as const
  const { place, ...command } = hold
  const standing = { balance: 0, reserved: 0, available: 0 }
  const held: OperationRead = {
    kind: 'operation', operation: 'op1', status: 'pending', reservation: 'r1', product: 'runs', ceiling: 5_000_000, charge: 0, shortfall: 0, late: false,
    startedAt: 0, finishedAt: 0, progress: '', result: '', ...standing,
  }
  const register = { kind: 'register', operation: 'op1', place, keptMs: 600_000 + RECORD_KEPT_MS }

  it('first says where it is to be found, then is renewed no longer', async () => {
    const { postings, sent, stopped } = postingTo(({ kind }) => (kind === 'register' ? { kind: 'registered' } : held))
    expect(await postings.post(openCall(), hold)).toEqual({ kind: 'posted', ended: held })
    expect(sent.map(({ command }) => command)).toEqual([register, command])
    expect(stopped).toHaveBeenCalledOnce()
  })

  it.each(['register', 'hold'])('is kept when the store is lost at its %s, its reservation alive meanwhile, and sent again', async (at) => {
    let lost = true
    const { postings, sent, stopped } = postingTo(({ kind }) => {
      if (lost && kind === at) return failing()
      return kind === 'register' ? { kind: 'registered' } : held
    })
    expect(await postings.post(openCall(), hold)).toEqual({ kind: 'kept' })
    expect(stopped).not.toHaveBeenCalled()
    lost = false
    await vi.advanceTimersByTimeAsync(100)
    expect(sent.slice(-2).map(({ command }) => command)).toEqual([register, command])
    expect(stopped).toHaveBeenCalledOnce()
  })

  it('whose id is another\'s is a conflict, whose reservation lives on until its call is charged', async () => {
    const { postings, sent, stopped } = postingTo(({ kind }) => (kind === 'register' ? { kind: 'taken' } : { kind: 'balance', provisioned: true, ...standing }))
    expect(await postings.post(openCall(), hold)).toEqual({ kind: 'posted', ended: { kind: 'operation_conflict', ...standing } })
    expect(sent.map(({ command }) => command.kind)).toEqual(['register', 'balance'])
    expect(stopped).not.toHaveBeenCalled()
  })

  it('is given up with a record when that is found out only later', async () => {
    let lost = true
    const { postings, stopped, errors } = postingTo(({ kind }) => {
      if (lost) return failing()
      return kind === 'register' ? { kind: 'taken' } : { kind: 'balance', provisioned: true, ...standing }
    })
    await postings.post(openCall(), hold)
    lost = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(errors).toEqual([expect.stringContaining('"operation":"op1"')])
    expect(stopped).toHaveBeenCalledOnce()
  })
})
