import { accounts, type Entry, type JournalEntry, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest'
import { bundleProgram, JournalProcess } from './journal-processes.js'
import { startReceiver } from './journal-receiver.js'

/** More for a longer search: `FAREBOX_RESTARTS=100 npx vitest run test/e2e/journal-restarts.test.ts` */
const RESTARTS = Number(process.env['FAREBOX_RESTARTS'] ?? 12)
/** Fewer of the kind that waits now and then before it tries again. */
const RESTARTS_HTTP = Math.ceil(RESTARTS / 3)
/** Exporters that have started and wait for their turn: starting is what takes time. */
const AHEAD = 4
const ACCOUNTS = ['ada', 'b/o b', '{1}', 'dan', 'é💸', 'eve']
const LEASE_MS = 15_000

const redisUrl = inject('redisUrl')
let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-'))
  program = await bundleProgram(join(folder, 'journal-process.cjs'))
})
afterAll(() => rm(folder, { recursive: true }))

let prefix: string
let store: Store
let poster: JournalProcess
beforeEach(() => {
  prefix = `journal-${crypto.randomUUID()}`
  store = redisStore(redisUrl, { prefix })
  poster = new JournalProcess(program, redisUrl)
})
afterEach(async () => {
  await poster.kill()
  await store.close()
})

it(`an NDJSON file has every entry in order after ${RESTARTS} kills of its exporter in mid-stream, and no torn line`, async () => {
  const file = join(folder, 'ledger.ndjson')
  // As a machine that dies leaves the last line.
  await exportThroughKills(RESTARTS, 'ndjsonFile', file, (restart) => (restart % 3 === 0 ? appendFile(file, '{"uid":"ada/1","acc') : undefined))
  const lines = (await readFile(file, 'utf8')).split('\n')
  expect(lines.pop()).toBe('')
  await expectAll(lines.map((line) => JSON.parse(line) as JournalEntry), RESTARTS)
}, 300_000)

it(`a receiver of CloudEvents that fails, hangs and loses its answers has every entry in order after ${RESTARTS_HTTP} kills of the exporter`, async () => {
  const receiver = await startReceiver()
  await exportThroughKills(RESTARTS_HTTP, 'cloudEvents', receiver.url, () => undefined, () => { receiver.faults = false })
  receiver.stop()
  // Which faults there were is chance: on a busy machine most exporters are dead before their request has come.
  if (RESTARTS_HTTP > 20) expect(receiver.seen.refused + receiver.seen.hung + receiver.seen.lost).toBeGreaterThan(0)
  await expectAll(receiver.taken, RESTARTS_HTTP)
}, 300_000)

/** Kills one exporter after the other while entries keep coming; the last one may finish. */
async function exportThroughKills(restarts: number, sink: string, target: string, afterKill: (restart: number) => Promise<void> | undefined, beforeLast = () => {}): Promise<void> {
  const waiting = Array.from({ length: AHEAD }, () => new JournalProcess(program, redisUrl))
  const posting = new Set<Promise<unknown>>()
  const begin = async (restart: number, writing: () => void) => {
    const exporter = waiting.shift()!
    exporter.onWriting(writing)
    await exporter.tell({ kind: 'export', prefix, sink, target, ahead: restart * (LEASE_MS + 1_000) })
    return exporter
  }
  for (let restart = 0; restart < restarts; restart++) {
    waiting.push(new JournalProcess(program, redisUrl))
    const writes = Math.random() < 0.3 ? 2 : 1
    let written = 0
    let kill = () => {}
    const due = new Promise<void>((resolve) => { kill = resolve })
    await post(restart * 10)
    const exporter = await begin(restart, () => {
      const posted = post(restart * 10 + written + 1).finally(() => posting.delete(posted))
      posting.add(posted)
      if (++written === writes) kill()
    })
    await due
    // Any moment of a write and of what comes after it.
    await delay(Math.random() * 12)
    await exporter.kill()
    await afterKill(restart)
  }
  await Promise.all(posting)
  await poster.close()
  beforeLast()
  const last = await begin(restarts, () => {})
  await expect.poll(behind, { timeout: 30_000, interval: 50 }).toBe(0)
  await last.close()
  await Promise.all(waiting.map((spare) => spare.kill()))
}

/** How many entries are not exported. */
async function behind(): Promise<number> {
  const replies = await Promise.all(ACCOUNTS.map((account) => store.send({ kind: 'exported', account, upTo: 0 })))
  return replies.reduce((sum, { waiting }) => sum + waiting, 0)
}

/** Entries of every account, by this process and by another one. */
async function post(n: number): Promise<void> {
  await poster.tell({ kind: 'post', prefix, grants: ACCOUNTS.flatMap((account) => ['a', 'b', 'c'].map((id) => ({ account, id: `${n}${id}`, credits: 1 }))) })
  await Promise.all(ACCOUNTS.flatMap((account) => Array.from({ length: 10 }, (_, i) => {
    const call = { account, reservation: `${n}-${i}`, ceiling: 5, key: '', payload: '' }
    return [
      store.send({ kind: 'reserve', ...call, allowance: 1_000_000, ttlMs: 60_000 }),
      store.send({ kind: 'settle', ...call, charge: i + 1, product: 'a', firstSentAt: Date.now(), response: '' }),
    ]
  }).flat()))
}

/** First comes first: without those that come again, the entries are those of the store, in their order. */
async function expectAll(received: readonly JournalEntry[], restarts: number): Promise<void> {
  const first = [...new Map([...received].reverse().map((entry) => [entry.uid, entry])).values()].reverse()
  for (const account of ACCOUNTS) {
    const expected = (await allEntries(account)).map((entry) => ({ uid: `${encodeURIComponent(account)}/${entry.id}`, account, ...entry }))
    expect(expected.length).toBeGreaterThan(restarts * 10)
    expect(first.filter((entry) => entry.account === account)).toEqual(expected)
  }
  expect(first.filter(({ account }) => !ACCOUNTS.includes(account))).toEqual([])
}

async function allEntries(account: string): Promise<readonly Entry[]> {
  const all: Entry[] = []
  for (let after = ''; ; after = all.at(-1)!.id) {
    const page = await accounts({ store }).entries(account, { after, limit: 1_000 })
    all.push(...page)
    if (page.length < 1_000) return all
  }
}
