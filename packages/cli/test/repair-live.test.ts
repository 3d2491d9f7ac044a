import { redisStore } from '@farebox/redis'
import { readAccount, scanKeys, writeFigures, type StoredKey } from '@farebox/redis/inspect'
import { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeEach, expect, inject, it } from 'vitest'
import { audit } from '../dist/audit/audit.js'
import { repair } from '../dist/audit/repair.js'

/** A database of its own: an audit goes through all of its keys. */
const REDIS_URL = `${inject('redisUrl')}/7`
const CREDIT = 1_000_000
const CALLERS = 2

const redis = new Redis(REDIS_URL)
afterAll(() => redis.quit())

let prefix = ''
let key: StoredKey
beforeEach(async () => {
  prefix = `live-${randomUUID()}`
  const store = redisStore(redis, { prefix })
  for (const [grant, credits, priority] of [['plain', 1_000, 50], ['first', 500, 10], ['last', 500, 90]] as const) {
    await store.send({ kind: 'grant', account: 'ada', grant, amount: credits * CREDIT, reason: '', source: '', priority, expiresAt: 0 })
  }
  for await (const { keys } of scanKeys(redis, prefix, 64)) key = keys.find(({ kind }) => kind === 'account') ?? key
})

/** Calls of ada's, one after the other, until told to stop; what they were charged. */
async function calls(caller: number, going: () => boolean): Promise<number> {
  const store = redisStore(REDIS_URL, { prefix })
  let charged = 0
  for (let i = 0; going(); i++) {
    const call = { account: 'ada', reservation: `${caller} ${i}`, key: '', payload: '', ceiling: 2_000 }
    await store.send({ kind: 'reserve', ...call, allowance: 0, ttlMs: 60_000 })
    const reply = await store.send({ kind: 'settle', ...call, charge: 1_000 + i % 1_000, product: `p${caller}`, response: '', firstSentAt: Date.now() })
    if (reply.kind === 'settled') charged += reply.charge
    // Callers without a moment's rest would change it each time before it can be written.
    await delay(10)
  }
  await store.close()
  return charged
}

async function found() {
  const all = []
  for await (const { findings } of audit(redis, prefix, 64)) all.push(...findings)
  return all
}

it('loses nothing of an account that is in use', async () => {
  let going = true
  const charges = Array.from({ length: CALLERS }, (_, caller) => calls(caller, () => going))
  const corruptions = [
    () => redis.hincrby(key.accountKey, ':balance', 7 * CREDIT),
    () => redis.hincrby(key.accountKey, ':reserved', 3 * CREDIT),
    () => redis.hset(key.accountKey, ':lots', ''),
    () => redis.hdel(key.accountKey, ':days'),
    () => redis.hdel(redisKey('grants'), 'plain'),
  ]
  for (const corrupt of [...corruptions, ...corruptions]) {
    await corrupt()
    const outcomes = await repair(redis, await damaged())
    expect(outcomes.filter(({ kind, check }) => kind === 'left' && check !== 'entries')).toEqual([])
    expect(outcomes.some(({ kind }) => kind === 'repaired')).toBe(true)
  }
  going = false
  const charged = (await Promise.all(charges)).reduce((sum, charge) => sum + charge, 0)
  expect(charged).toBeGreaterThan(0)
  // Where a call came between a wrong balance and its repair, its entry says so for good.
  expect((await found()).filter(({ finding }) => finding.check !== 'entries')).toEqual([])
  expect(await redis.hmget(key.accountKey, ':balance', ':reserved')).toEqual([String(2_000 * CREDIT - charged), '0'])
})

/** What is wrong by now; calls may have put right what was written over. */
async function damaged() {
  for (;;) {
    const all = await found()
    if (all.some(({ finding }) => finding.check !== 'entries')) return all
  }
}

function redisKey(kind: string): string {
  return key.accountKey.replace(':account:', `:${kind}:`)
}

it.each([
  ['a field', () => redis.hincrby(key.accountKey, ':reserved', 1)],
  ['a new field', () => redis.hset(key.accountKey, 'r1', 'o1 2 3')],
  ['a field that is gone', () => redis.hdel(key.accountKey, ':lots')],
  ['an entry', () => redis.rpush(redisKey('journal'), 'grant 1 1 1 0 g g')],
])('writes nothing when the account has changed since it was read: %s', async (_, change) => {
  const stored = await readAccount(redis, key)
  await change()
  const before = await redis.hgetall(key.accountKey)
  expect(await writeFigures(redis, key, stored, { balance: 1, reserved: 0, grants: new Map([['g', 1]]) })).toBe(false)
  expect(await redis.hgetall(key.accountKey)).toEqual(before)
  expect(await redis.hexists(redisKey('grants'), 'g')).toBe(0)
  expect(await writeFigures(redis, key, await readAccount(redis, key), { balance: 1 })).toBe(true)
})
