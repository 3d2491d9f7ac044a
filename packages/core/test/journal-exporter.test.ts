import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEngine } from '../src/engine.js'
import { exportJournal } from '../src/journal/export-journal.js'
import type { JournalEntry, JournalSink } from '../src/journal/sink.js'
import type { Command, ReplyTo } from '../src/store/commands.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { never, recordingLogger } from './open-call.js'

const IDLE = 500
const LEASE = 15_000
const HOUR = 3_600_000

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A sink that keeps what it takes; `answer` may make it fail or wait. */
function sink(answer: () => Promise<void> = () => Promise.resolve()) {
  const writes: (readonly JournalEntry[])[] = []
  const taken: JournalEntry[] = []
  const write: JournalSink['write'] = async (entries) => {
    writes.push(entries)
    await answer()
    taken.push(...entries)
  }
  return { write, writes, taken, uids: () => taken.map(({ uid }) => uid) }
}

let grants = 0
const grant = (store: Store, account: string, amount = 1_000_000) =>
  store.send({ kind: 'grant', account, grant: `g${grants++}`, amount, reason: 'top-up', source: 'top-up', priority: 50, expiresAt: 0 })

async function grantMany(store: Store, account: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await grant(store, account)
}

function exporting(store: Store, to: JournalSink) {
  const { logger, warnings, errors } = recordingLogger()
  return { ...exportJournal({ store, journal: to, logger }), warnings, errors }
}

/** The same store as another process sees it; `answer` may keep its commands from it. */
function through(store: Store, answer: (command: Command) => Promise<unknown> | undefined): Store {
  return { ...store, send: <C extends Command>(command: C) => (answer(command) ?? store.send(command)) as Promise<ReplyTo<C>> }
}

const ids = (account: string, from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `${account}/${from + i}`)

describe('every entry', () => {
  it('goes on, with its account and a key of its own, soon after it was posted', async () => {
    const [store, to] = [memoryStore(), sink()]
    exportJournal({ store, journal: to })
    await vi.advanceTimersByTimeAsync(IDLE)
    const at = Date.now()
    await grant(store, 'a/b c')
    await vi.advanceTimersByTimeAsync(IDLE)
    expect(to.taken).toEqual([{
      uid: 'a%2Fb%20c/1', account: 'a/b c', id: '1', at, kind: 'grant', credits: 1, balance: 1, reference: `g${grants - 1}`, label: 'top-up', shortfall: 0, source: 'top-up',
    }])
  })

  it('goes on that was there before', async () => {
    const [store, to] = [memoryStore(), sink()]
    await grantMany(store, 'ada', 3)
    await grantMany(store, 'bob', 2)
    exportJournal({ store, journal: to })
    await vi.advanceTimersByTimeAsync(0)
    expect(to.uids()).toEqual([...ids('ada', 1, 3), ...ids('bob', 1, 2)])
  })

  it('goes on once, in order, in lots of at most 500', async () => {
    const [store, to] = [memoryStore(), sink()]
    for (const account of ['a', 'b', 'c', 'd', 'e']) await grantMany(store, account, 450)
    exportJournal({ store, journal: to })
    await vi.advanceTimersByTimeAsync(IDLE)
    for (const account of ['a', 'b', 'c', 'd', 'e']) expect(to.uids().filter((uid) => uid.startsWith(account))).toEqual(ids(account, 1, 450))
    expect(to.taken).toHaveLength(5 * 450)
    expect(Math.max(...to.writes.map(({ length }) => length))).toBe(500)
  })

  it('goes on within the hour where the process that posted it does not mark it', async () => {
    const [store, to] = [memoryStore(), sink()]
    await grant(store, 'ada')
    // As a process would that was started before there was a sink.
    let marks = false
    exportJournal({ store: through(store, ({ kind }) => (kind === 'export_journal' && !marks ? Promise.resolve({ kind: 'journal_exported' }) : undefined)), journal: to })
    await vi.advanceTimersByTimeAsync(IDLE)
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(HOUR - 2 * IDLE)
    expect(to.uids()).toEqual(ids('ada', 1, 1))
    marks = true
    await vi.advanceTimersByTimeAsync(2 * IDLE)
    expect(to.uids()).toEqual(ids('ada', 1, 2))
  })

  it('of other accounts goes on where one account can not be read, which is said once and tried again', async () => {
    const [store, to] = [memoryStore(), sink()]
    let broken = true
    const { errors } = exporting(through(store, (command) => (broken && 'account' in command && command.account === 'bad' ? Promise.reject(new Error('WRONGTYPE')) : undefined)), to)
    await vi.advanceTimersByTimeAsync(0)
    for (let i = 0; i < 3; i++) {
      await grant(store, 'bad')
      await grant(store, 'ada')
      await vi.advanceTimersByTimeAsync(IDLE)
    }
    expect(to.uids()).toEqual(ids('ada', 1, 3))
    expect(errors).toEqual([expect.stringMatching(/1 accounts can't be read.*"bad"/)])
    broken = false
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(to.uids().sort()).toEqual([...ids('ada', 1, 4), ...ids('bad', 1, 3)])
  })

  it('is looked for again within a minute where an account could not be asked', async () => {
    const [store, to] = [memoryStore(), sink()]
    await grant(store, 'ada')
    let away = true
    exportJournal({ store: through(store, ({ kind }) => (away && kind === 'exported' ? Promise.reject(new Error('lost')) : undefined)), journal: to })
    await vi.advanceTimersByTimeAsync(IDLE)
    away = false
    await vi.advanceTimersByTimeAsync(60_000)
    expect(to.uids()).toEqual(['ada/1'])
  })
})

describe('what the sink does not take', () => {
  it('comes again, the very same and at longer and longer intervals, and is told of once', async () => {
    let fails = true
    const [store, to] = [memoryStore(), sink(() => (fails ? Promise.reject(new Error('full')) : Promise.resolve()))]
    const { warnings, errors } = exporting(store, to)
    await vi.advanceTimersByTimeAsync(0)
    await grantMany(store, 'ada', 2)
    const tries: number[] = []
    for (let i = 0; i < 8; i++) {
      const before = to.writes.length
      const from = Date.now()
      while (to.writes.length === before) await vi.advanceTimersByTimeAsync(100)
      tries.push(Date.now() - from)
    }
    expect(tries).toEqual([500, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000])
    expect(new Set(to.writes.map((entries) => entries.map(({ uid }) => uid).join()))).toEqual(new Set(['ada/1,ada/2']))
    expect(errors).toEqual([expect.stringMatching(/not exported/)])
    expect(warnings).toEqual([])
    fails = false
    await vi.advanceTimersByTimeAsync(30_000)
    expect(to.uids()).toEqual(ids('ada', 1, 2))
    expect(warnings).toEqual([expect.stringMatching(/exported again/)])
    expect(errors).toHaveLength(1)
  })

  it('is not passed by anything newer of its account', async () => {
    let writes = 0
    const [store, to] = [memoryStore(), sink(() => (++writes % 3 === 0 ? Promise.resolve() : Promise.reject(new Error('now and then'))))]
    exporting(store, to)
    for (let i = 0; i < 40; i++) {
      await grant(store, i % 3 === 0 ? 'bob' : 'ada')
      await vi.advanceTimersByTimeAsync(400)
    }
    await vi.advanceTimersByTimeAsync(60_000)
    expect(to.uids().filter((uid) => uid.startsWith('ada'))).toEqual(ids('ada', 1, 26))
    expect(to.uids().filter((uid) => uid.startsWith('bob'))).toEqual(ids('bob', 1, 14))
  })

  it('waits in the store for the next exporter', async () => {
    const [store, to] = [memoryStore(), sink()]
    const failing = exporting(store, sink(() => Promise.reject(new Error('full'))))
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(IDLE)
    await failing.close()
    exportJournal({ store, journal: to })
    await vi.advanceTimersByTimeAsync(0)
    expect(to.uids()).toEqual(['ada/1'])
  })
})

it('a store that does not answer is asked again, and told of once', async () => {
  const [store, to] = [memoryStore(), sink()]
  let away = true
  const { warnings, errors } = exporting(through(store, () => (away ? never : undefined)), to)
  await grant(store, 'ada')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(errors).toEqual([expect.stringMatching(/not exported/)])
  away = false
  await vi.advanceTimersByTimeAsync(40_000)
  expect(to.uids()).toEqual(['ada/1'])
  expect([errors.length, warnings.length]).toEqual([1, 1])
})

it('a sink that took entries while the store could not be told gets them again, and then what is newer', async () => {
  const [store, to] = [memoryStore(), sink()]
  let away = false
  exporting(through(store, (command) => (away && command.kind === 'exported' && command.upTo > 0 ? Promise.reject(new Error('lost')) : undefined)), to)
  await vi.advanceTimersByTimeAsync(0)
  away = true
  await grant(store, 'ada')
  await vi.advanceTimersByTimeAsync(IDLE)
  away = false
  await grant(store, 'ada')
  await vi.advanceTimersByTimeAsync(IDLE)
  expect(to.uids()).toEqual(['ada/1', 'ada/1', 'ada/2'])
})

describe('of several exporters', () => {
  it('one works', async () => {
    const [store, a, b] = [memoryStore(), sink(), sink()]
    exportJournal({ store, journal: a })
    exportJournal({ store, journal: b })
    for (let i = 0; i < 100; i++) {
      await grant(store, 'ada')
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect([a.taken.length, b.taken.length]).toEqual([100, 0])
  })

  it('another one takes over when it closes, soon', async () => {
    const [store, a, b] = [memoryStore(), sink(), sink()]
    const first = exportJournal({ store, journal: a })
    await vi.advanceTimersByTimeAsync(0)
    exportJournal({ store, journal: b })
    await vi.advanceTimersByTimeAsync(0)
    await first.close()
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(3_000)
    expect([a.uids(), b.uids()]).toEqual([[], ['ada/1']])
  })

  it('another one takes over when it has died, and looks for entries that nobody has marked', async () => {
    const [store, a, b] = [memoryStore(), sink(), sink()]
    let dead = false
    const others: Command[] = []
    exporting(through(store, () => (dead ? never : undefined)), a)
    await vi.advanceTimersByTimeAsync(0)
    exportJournal({ store: through(store, (command) => void others.push(command)), journal: b })
    await vi.advanceTimersByTimeAsync(IDLE)
    dead = true
    others.length = 0
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(LEASE - IDLE)
    expect(b.uids()).toEqual([])
    await vi.advanceTimersByTimeAsync(3_000 + IDLE)
    expect(b.uids()).toEqual(['ada/1'])
    expect(others.filter(({ kind }) => kind === 'accounts')).toHaveLength(1)
  })

  it('one that has the lease again looks again for entries that nobody has marked, and switches on once', async () => {
    const asked: string[] = []
    let mine = true
    exportJournal({
      store: through(memoryStore(), ({ kind }) => {
        asked.push(kind)
        return kind === 'lease' && !mine ? Promise.resolve({ kind: 'not_leased' }) : undefined
      }),
      journal: sink(),
    })
    const times = (kind: string) => asked.filter((other) => other === kind).length
    await vi.advanceTimersByTimeAsync(10 * IDLE)
    expect(times('accounts')).toBe(1)
    mine = false
    await vi.advanceTimersByTimeAsync(10_000)
    mine = true
    await vi.advanceTimersByTimeAsync(10_000)
    expect([times('accounts'), times('export_journal')]).toEqual([2, 1])
  })

  it('none takes over while a write takes long', async () => {
    const [store, b] = [memoryStore(), sink()]
    const a = sink(() => new Promise((resolve) => { setTimeout(resolve, 120_000) }))
    exportJournal({ store, journal: a })
    await vi.advanceTimersByTimeAsync(0)
    exportJournal({ store, journal: b })
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(200_000)
    expect([a.uids(), b.uids(), a.writes.length]).toEqual([['ada/1'], [], 1])
  })

  it('two that work at once write nothing before what is older', async () => {
    const store = memoryStore()
    // What both of them write, in the order in which it is there; the first one's writes take long.
    const there: string[] = []
    const slow: JournalSink = {
      async write(entries) {
        await new Promise((resolve) => { setTimeout(resolve, 900) })
        there.push(...entries.map(({ uid }) => uid))
      },
    }
    const fast: JournalSink = { write: async (entries) => void there.push(...entries.map(({ uid }) => uid)) }
    // Each believes that it has the lease.
    const unleased = through(store, ({ kind }) => (kind === 'lease' ? Promise.resolve({ kind: 'leased' }) : undefined))
    exportJournal({ store: unleased, journal: slow })
    exportJournal({ store: unleased, journal: fast })
    for (let i = 0; i < 100; i++) {
      await grant(store, 'ada')
      await vi.advanceTimersByTimeAsync(170)
    }
    await vi.advanceTimersByTimeAsync(5_000)
    expect(there.length).toBeGreaterThan(110)
    expect([...new Set(there)]).toEqual(ids('ada', 1, 100))
  })
})

describe('closing', () => {
  it('finishes what is on its way, sends on once more and leaves no timer behind', async () => {
    let finish = () => {}
    const [store, to] = [memoryStore(), sink(() => new Promise((resolve) => { finish = resolve }))]
    const exported = exportJournal({ store, journal: to })
    await vi.advanceTimersByTimeAsync(0)
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(IDLE)
    let closed = false
    const closing = exported.close().then(() => { closed = true })
    await grant(store, 'ada')
    await vi.advanceTimersByTimeAsync(1_000)
    expect([closed, to.uids()]).toEqual([false, []])
    finish()
    await vi.advanceTimersByTimeAsync(1_000)
    expect([closed, to.uids()]).toEqual([false, ['ada/1']])
    finish()
    await closing
    expect(to.uids()).toEqual(['ada/1', 'ada/2'])
    expect(vi.getTimerCount()).toBe(0)
    expect(await store.send({ kind: 'lease', name: 'journal', owner: 'another', ttlMs: 1 })).toEqual({ kind: 'leased' })
  })

  it('leaves it to the one that works, when it only stands by', async () => {
    const [store, a, b] = [memoryStore(), sink(), sink()]
    exportJournal({ store, journal: a })
    await vi.advanceTimersByTimeAsync(0)
    const standBy = exportJournal({ store, journal: b })
    await grant(store, 'ada')
    await standBy.close()
    expect(b.taken).toEqual([])
    await vi.advanceTimersByTimeAsync(IDLE)
    expect(a.uids()).toEqual(['ada/1'])
  })

  it('ends also where the store is away', async () => {
    const { close } = exporting(through(memoryStore(), () => never), sink())
    const closing = close()
    await vi.advanceTimersByTimeAsync(20_000)
    await closing
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('billing', () => {
  it('exports, and once more when it is closed', async () => {
    const [store, to] = [memoryStore(), sink()]
    const { billing } = createEngine({ account: () => 'ada', store, journal: to })
    await billing.grant('ada', 5, { id: 'p1', reason: 'top-up' })
    await vi.advanceTimersByTimeAsync(IDLE)
    expect(to.uids()).toEqual(['ada/1'])
    expect(to.taken).toMatchObject(await billing.entries('ada'))
    await billing.grant('ada', 5, { id: 'p2', reason: 'top-up' })
    await billing.close()
    expect(to.uids()).toEqual(['ada/1', 'ada/2'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('has no timer and asks the store nothing where there is no sink', () => {
    const asked: string[] = []
    createEngine({ account: () => 'ada', store: through(memoryStore(), ({ kind }) => void asked.push(kind)) })
    expect([vi.getTimerCount(), asked]).toEqual([0, []])
  })

  it('refuses what is no sink', () => {
    expect(() => createEngine({ account: () => 'ada', store: memoryStore(), journal: 'ledger.ndjson' as never })).toThrow(/journal: expected a sink with a method write/)
  })
})

it('keeps no process alive', () => {
  const unref = vi.fn<() => void>()
  const real = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (run: () => void, ms: number) => Object.assign(real(run, ms), { unref }))
  exportJournal({ store: memoryStore(), journal: sink() })
  expect(unref).toHaveBeenCalledOnce()
})

it('does not run where timers end with their request, and says so', async () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
  const { warnings, close } = exporting(memoryStore(), sink())
  expect(vi.getTimerCount()).toBe(0)
  expect(warnings).toEqual([expect.stringMatching(/exportJournal/)])
  await close()
})

it('refuses what is no sink', () => {
  for (const journal of [undefined, null, {}, 'file.ndjson', () => {}]) {
    expect(() => exportJournal({ store: memoryStore(), journal: journal as never })).toThrow(/journal: expected a sink with a method write/)
  }
})
