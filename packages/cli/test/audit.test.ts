import type { Command } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { documents, farebox } from './farebox.js'

const REDIS_URL = inject('redisUrl')
const DAY = 86_400_000
const START = 20_000 * DAY
const CREDIT = 1_000_000

const redis = new Redis(REDIS_URL)
afterAll(() => redis.quit())

let prefix = ''
/** A key of ada's. */
let key: (kind: string) => string = String
const audit = async () => documents(await farebox(['audit', '--json', '--prefix', prefix], { REDIS_URL }))
const summary = (findings: number, accounts = 2) => ({ summary: { accounts, findings, seconds: expect.any(Number) } })

/** Two accounts, one of which has had every kind of movement, on several days of which the first are not kept any more. */
async function seed(): Promise<void> {
  prefix = `audit-${randomUUID()}`
  let now = START
  const store = redisStore(redis, { prefix, partitions: 16, now: () => now })
  const grant = (id: string, credits: number, priority = 50, expiresAt = 0) =>
    store.send({ kind: 'grant', account: 'ada', grant: id, amount: credits * CREDIT, reason: 'a reason', source: 'promotion', priority, expiresAt })
  const call = (reservation: string, ceiling: number, key = '') => ({ account: 'ada', reservation, key, payload: 'p', ceiling: ceiling * CREDIT })
  const reserve = (id: string, ceiling: number, account = 'ada', key = '') =>
    store.send({ kind: 'reserve', ...call(id, ceiling, key), account, allowance: 20 * CREDIT, ttlMs: 60_000 })
  const settle = (id: string, ceiling: number, charge: number, key = '') =>
    store.send({ kind: 'settle', ...call(id, ceiling, key), charge: charge * CREDIT, product: 'a search', response: 'r', firstSentAt: now })
  const entries = async () => (await store.send({ kind: 'entries', account: 'ada', after: '', limit: 100 })).entries
  const refund = async (id: string, reservation: string, credits: number) => {
    const entry = (await entries()).find(({ kind, reference }) => kind === 'charge' && reference === reservation)!.id
    const reply = await store.send({ kind: 'refund', account: 'ada', refund: id, reservation, entry, amount: credits * CREDIT, reason: '' })
    expect(reply.kind).toBe('refunded')
  }

  await reserve('old', 5)
  await settle('old', 5, 4)
  await reserve('bob', 5, 'bob')
  now += 40 * DAY
  await grant('plain', 100)
  await grant('first', 10, 10, now + 2 * DAY)
  await grant('last', 30, 90)
  await grant('short', 5, 20, now + 1_000)
  await reserve('r1', 12)
  now += 2_000
  await settle('r1', 12, 12)
  await reserve('r2', 8, 'ada', 'a key')
  await settle('r2', 8, 6, 'a key')
  await refund('f1', 'r1', 1)
  await refund('f2', 'r1', 8)
  now += 3 * DAY
  await refund('f3', 'r1', 3)
  await reserve('late', 20)
  now += DAY
  await settle('late', 20, 20)
  await settle('over', 500, 500)
  await grant('again', 50, 10, now + 30 * DAY)
  await reserve('released', 5)
  await store.send({ kind: 'release', account: 'ada', reservation: 'released', key: '' })
  await reserve('operation', 5)
  await store.send({ kind: 'hold', ...call('operation', 5), operation: 'op', product: 'a search', ttlMs: DAY, response: '' } satisfies Command)
  await reserve('open', 3)
  const all = await entries()
  expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['grant', 'charge', 'refund', 'expiry']))
  expect(all.some(({ shortfall }) => shortfall > 0)).toBe(true)
  await store.close()
}

beforeEach(async () => {
  await seed()
  const [account] = await redis.keys(`${prefix}:*:account:ada`)
  key = (kind) => account!.replace('account', kind)
})

it('finds nothing wrong with an account that has had every kind of movement', async () => {
  expect(await farebox(['audit', '--prefix', prefix, '--redis', REDIS_URL])).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^2 accounts checked in [\d.]+ s, 0 findings\n$/) })
  expect(await audit()).toEqual([summary(0)])
})

it('looks at no other prefix', async () => {
  await redis.hset(`${prefix}:more:{3}:account:eve`, ':balance', '7')
  await redis.hset(`x${prefix}:{3}:account:eve`, ':balance', '7')
  expect(await audit()).toEqual([summary(0)])
})

it('says in words what is wrong, and ends with 1', async () => {
  await redis.hincrby(key('account'), ':balance', 2 * CREDIT)
  expect(await farebox(['audit', '--prefix', prefix, '--redis', REDIS_URL])).toEqual({
    code: 1, stderr: '', stdout: expect.stringMatching(/^ada {2}balance: expected 50, found 52 – the balance is the sum of the entries\n2 accounts checked in [\d.]+ s, 1 findings\n$/),
  })
})

describe('finds', () => {
  const lots = async () => (await redis.hget(key('account'), ':lots'))!
  const journal = () => redis.lrange(key('journal'), 0, -1)

  it.each<[string, () => Promise<unknown>, object[]]>([
    ['a balance that is off', () => redis.hincrby(key('account'), ':balance', 1), [{ account: 'ada', check: 'balance', expected: 50, found: 50.000001 }]],
    ['credits that are reserved by nobody', () => redis.hincrby(key('account'), ':reserved', 1), [{ account: 'ada', check: 'reserved', expected: 8, found: 8.000001 }]],
    ['a negative reserved', () => redis.hset(key('account'), ':reserved', '-5'), [{ account: 'ada', check: 'reserved', expected: 8, found: -0.000005 }]],
    ['more reserved than there is', () => redis.hset(key('account'), ':reserved', String(60 * CREDIT)),
      [{ account: 'ada', check: 'reserved', expected: 8, found: 60 }, { account: 'ada', check: 'available', expected: 'at least 0', found: -10 }]],
    ['a reservation that is gone', () => redis.hdel(key('account'), 'open'), [{ account: 'ada', check: 'held', at: 'grant again', expected: 5, found: 8 }, { account: 'ada', check: 'reserved', expected: 5, found: 8 }]],
    ['a lot with too little', async () => redis.hset(key('account'), ':lots', (await lots()).replace('again=50000000', 'again=49000000')),
      [{ account: 'ada', check: 'lots', at: 'grant again', expected: 50, found: 49 }]],
    ['a lot with more than the balance', async () => redis.hset(key('account'), ':lots', (await lots()).replace('again=50000000', 'again=70000000')),
      [{ account: 'ada', check: 'plain', expected: 'at least 0', found: expect.any(Number) }, { account: 'ada', check: 'lots', at: 'grant again', expected: 50, found: 70 }]],
    ['a lot that is gone', async () => redis.hset(key('account'), ':lots', (await lots()).replace(/ again=\S+/, '')),
      [{ account: 'ada', check: 'held', at: 'grant again', expected: 8, found: 0 }]],
    ['an entry that is gone', async () => redis.lrem(key('journal'), 1, (await journal())[2]!),
      [{ account: 'ada', check: 'balance', expected: -50, found: 50 }, { account: 'ada', check: 'entries', at: 'entry 3', expected: expect.any(Number), found: expect.any(Number) }]],
    ['an entry that was changed', async () => redis.lset(key('journal'), 2, (await journal())[2]!.replace('100000000 ', '100000001 ')),
      [{ account: 'ada', check: 'balance', expected: 50.000001, found: 50 }, { account: 'ada', check: 'entries', at: 'entry 3', expected: 116.000001, found: 116 }]],
    ['a journal that is gone', () => redis.del(key('journal')), expect.arrayContaining([{ account: 'ada', check: 'balance', expected: 0, found: 50 }])],
    ['usage that is off', () => changeUsage('20044', /=(\d+):(\d+)/, '=$1:1$2'), [{ account: 'ada', check: 'usage', at: 'charged on 2024-11-17, a search', expected: expect.any(Number), found: expect.any(Number) }]],
    ['refunds that usage has not', () => changeUsage('20043', /:3000000\b/, ''), [{ account: 'ada', check: 'usage', at: 'refunded on 2024-11-16, a search', expected: 3, found: 0 }]],
    ['a day that is gone', () => redis.hset(key('account'), ':days', '20040 20044'), [{ account: 'ada', check: 'usage', at: 'refunded on 2024-11-16, a search', expected: 3, found: 0 }]],
    ['refunds above the charge', () => redis.rpush(key('journal'), `refund ${START} 0 50000000 0 r1 `).then(() => redis.hset(key('refunds'), 'r1', String(13 * CREDIT))),
      [{ account: 'ada', check: 'refunds', at: 'reservation r1', expected: 12, found: 13 }, { account: 'ada', check: 'refunds', at: 'reservation r1', expected: 'at most 12', found: 13 }]],
    ['a refund that is not remembered', () => redis.hdel(key('refunds'), 'r1'), expect.arrayContaining([{ account: 'ada', check: 'refunds', at: 'reservation r1', expected: 12, found: 0 }])],
    ['what can\'t be read', () => redis.lset(key('journal'), 0, 'nonsense'), [{ account: 'ada', check: 'readable', expected: 'what a store writes', found: 'can\'t be read: nonsense' }]],
    ['a key of another type', () => redis.del(key('journal')).then(() => redis.set(key('journal'), 'x')), [{ account: 'ada', check: 'readable', expected: 'what a store writes', found: expect.stringMatching(/^WRONGTYPE/) }]],
  ])('%s', async (_, corrupt, findings) => {
    await corrupt()
    const found = await audit()
    expect(found.slice(0, -1)).toEqual(findings)
    expect(found.at(-1)).toEqual(summary(found.length - 1))
  })

  async function changeUsage(day: string, from: RegExp, to: string): Promise<void> {
    const used = (await redis.hget(key('account'), `:u${day}`))!
    expect(used).toMatch(from)
    await redis.hset(key('account'), `:u${day}`, used.replace(from, to))
  }

  it('keys without an account', async () => {
    await redis.del(key('account'))
    const orphans = ['journal', 'grants', 'refunds', 'call', 'operation'].map((kind) => ({ account: 'ada', check: 'orphan', expected: key('account'), found: expect.stringContaining(`:${kind}:ada`) }))
    const found = await audit()
    expect(found.slice(0, -1)).toHaveLength(orphans.length)
    expect(found.slice(0, -1)).toEqual(expect.arrayContaining(orphans))
    expect(found.at(-1)).toEqual(summary(orphans.length, 1))
  })

  it('an account where the store does not look for it', async () => {
    const elsewhere = key('account').replace(/\{\d+\}/, '{99}').replace('ada', 'eve')
    await redis.hset(elsewhere, ':reserved', '0')
    expect(await audit()).toEqual([{ account: 'eve', check: 'partition', at: elsewhere, expected: expect.any(Number), found: 99 }, summary(1, 3)])
  })
})

describe('many', () => {
  it('accounts, and entries of one account, are looked at page by page', async () => {
    const store = redisStore(redis, { prefix, partitions: 16 })
    await Promise.all(Array.from({ length: 1_700 }, (_, i) =>
      store.send({ kind: 'grant', account: i % 2 ? `a${i}` : 'eve', grant: `g${i}`, amount: 1, reason: '', source: '', priority: 50, expiresAt: 0 })))
    await store.close()
    expect(await audit()).toEqual([summary(0, 853)])
    const [eve] = await redis.keys(`${prefix}:*:journal:eve`)
    await redis.lset(eve!, 700, (await redis.lindex(eve!, 700))!.replace(/ 1 701 /, ' 2 702 '))
    expect(await audit()).toEqual([
      { account: 'eve', check: 'balance', expected: 0.000851, found: 0.00085 },
      { account: 'eve', check: 'entries', at: 'entry 702', expected: 0.000703, found: 0.000702 }, summary(2, 853),
    ])
  })
})
