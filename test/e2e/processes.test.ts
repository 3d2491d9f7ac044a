import { redisStore } from '@farebox/redis'
import type { LedgerEntry, Store } from '@farebox/core'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { latch } from '../support/apps/latch.js'
import { AppProcess } from './processes-app.js'
import { Client, type Reply } from './processes-client.js'
import { randomJobs, type Job } from './processes-workload.js'

const CALLS = 10_000
const ACCOUNTS = 100
const IN_FLIGHT = 96

const prefix = `processes-${crypto.randomUUID()}`
const client = new Client()
let apps: readonly AppProcess[] = []
let store: Store
let onHolding = () => {}

beforeAll(async () => {
  const redisUrl = inject('redisUrl')
  store = redisStore(redisUrl, { prefix })
  apps = await Promise.all(['express', 'koa', 'hono'].map((framework) => AppProcess.start(framework, redisUrl, prefix, () => onHolding())))
})

afterAll(async () => {
  client.close()
  expect(await Promise.all(apps.map((app) => app.stop()))).toEqual(apps.map(() => 0))
  await store.close()
})

it('20 parallel calls of 75 against 500 over three processes: 6 run, 450 are held while they run, 14 get 402', async () => {
  const decided = latch()
  let refused = 0
  const running = () => apps.reduce((sum, { holding }) => sum + holding, 0)
  const look = () => running() + refused === 20 && decided.open()
  onHolding = look
  const calls = Array.from({ length: 20 }, async (_, n) => {
    const reply = await call(n, 'POST /hold', 'ada')
    if (reply.status === 402) refused++
    look()
    return reply
  })
  await decided.opened
  const meanwhile = await Promise.all(apps.map((_, n) => call(n, 'GET /v1/credits/balance', 'ada')))
  for (const app of apps) app.finish()
  const replies = await Promise.all(calls)
  expect({ running: running(), refused }).toEqual({ running: 6, refused: 14 })
  expect(meanwhile.map(({ json }) => json)).toEqual(apps.map(() => ({ balance: 500, reserved: 450, available: 50 })))
  expect(replies.map(({ status, charged }) => `${status} ${charged}`).sort()).toEqual([...Array<string>(6).fill('200 75'), ...Array<string>(14).fill('402 0')])
  expect(await store.send({ kind: 'balance', account: 'ada' })).toMatchObject({ balance: 50_000_000, reserved: 0 })
})

it('ten thousand random parallel calls over 100 accounts: each response says what the ledger says, which adds up', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32)
  const jobs = randomJobs(CALLS, ACCOUNTS, seed)
  const replies = await inParallel(jobs, async (job, n) => ({ job, reply: await call(n, job.route, job.account, job.work) }))
  const charges = new Map<string, number>()
  for (const account of new Set(jobs.map(({ account }) => account))) {
    for (const { kind, amount } of await auditedEntries(account)) if (kind === 'charge') charges.set(`${account}: ${-amount}`, (charges.get(`${account}: ${-amount}`) ?? 0) + 1)
  }
  const wrong = replies.flatMap(({ job, reply }) => {
    const entries = charges.get(`${job.account}: ${Math.round(reply.charged! * 1e6)}`) ?? 0
    const faults = faultsOf(job, reply, entries)
    return faults.length === 0 ? [] : [{ seed, job, reply, entries, faults }]
  })
  expect(wrong.slice(0, 5)).toEqual([])
  const paid = replies.filter(({ reply }) => reply.charged! > 0).length
  expect([...charges.values()].reduce((sum, n) => sum + n, 0)).toBe(paid)
  // The mix is one: some are paid, some fail, some are refused.
  for (const status of [200, 204, 402, 500]) expect(replies.filter(({ reply }) => reply.status === status).length, `of status ${status}`).toBeGreaterThan(100)
}, 120_000)

/** What a response says that it should not, given how often the ledger has a charge of this amount. */
function faultsOf({ work, price, cost }: Job, { status, charged, ceiling, metering }: Reply, entries: number): string[] {
  const expected = status === 402 ? 0 : cost
  const statuses = work.end === 'empty' ? [204, 402] : ['json', 'text'].includes(work.end) ? [200, 402] : [500, 402]
  return Object.entries({
    status: statuses.includes(status),
    charge: charged === expected / 1e6,
    ceiling: ceiling === price / 1e6,
    metering: !metering || (metering.creditsCharged === charged && metering.estimatedMaxCredits === ceiling),
    entries: entries === (expected === 0 ? 0 : 1),
  }).flatMap(([what, right]) => (right ? [] : [what]))
}

/** The account's entries, once they are found to add up to a balance that nothing is held of. */
async function auditedEntries(account: string): Promise<readonly LedgerEntry[]> {
  const { entries } = await store.send({ kind: 'entries', account, after: '', limit: CALLS })
  const { balance, reserved } = await store.send({ kind: 'balance', account })
  expect({ account, balance, reserved }).toEqual({ account, balance: entries.reduce((sum, { amount }) => sum + amount, 0), reserved: 0 })
  expect(entries.filter(({ kind }) => kind === 'grant')).toHaveLength(1)
  return entries
}

/** A call to one of the processes, in turns. */
function call(n: number, route: string, account: string, body?: unknown): Promise<Reply> {
  return client.call(apps[n % apps.length]!.url, route, account, body)
}

async function inParallel<T, R>(items: readonly T[], work: (item: T, n: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    for (const [n, item] of rest) results[n] = await work(item, n)
  }))
  return results
}
