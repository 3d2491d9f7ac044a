import type { LedgerCommand, Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { sentAt, steps } from '../../../test/model/commands.js'
import { audit } from '../dist/audit/audit.js'
import { repair } from '../dist/audit/repair.js'

const RUNS = Number(process.env['FAREBOX_MODEL_RUNS'] ?? 100)
/** A database of its own: an audit goes through all of its keys. */
const redis = new Redis(`${inject('redisUrl')}/6`)
afterAll(() => redis.quit())

/** What may happen to an account from outside. What it was follows from the rest, except what reservations held of an account that is gone. */
const corruption = fc.oneof(
  fc.record({ kind: fc.constantFrom('gone' as const, 'garbled' as const, 'changed' as const), field: fc.constantFrom(':balance', ':reserved', ':lots', ':days', ':provisioned', ':recurring') }),
  fc.record({ kind: fc.constant('account' as const), field: fc.constant('') }),
  fc.record({ kind: fc.constant('grants' as const), field: fc.constant('') }),
)

test(`audit finds nothing wrong with what the store does, and repairs what others do to it, over ${RUNS} random runs`, async () => {
  await fc.assert(fc.asyncProperty(steps, fc.array(corruption, { minLength: 1, maxLength: 3 }), async (given, corruptions) => {
    const prefix = crypto.randomUUID()
    let now = 20_000 * 86_400_000
    const store = redisStore(redis, { prefix, now: () => now })
    // No call is held whose account had none before.
    for (const account of new Set(given.flatMap(({ commands }) => commands.map(({ account }) => account)))) {
      await store.send({ kind: 'reserve', account, reservation: 'first', ceiling: 0, allowance: 0, ttlMs: 1, key: '', payload: '' })
    }
    for (const { elapsedMs, commands } of given) {
      now += elapsedMs
      await Promise.all(commands.map(async (command) => store.send(await refundable(store, sentAt(command, now)))))
    }
    expect(await found(prefix)).toEqual([])

    // What has had no credits can't be told from what has lost them.
    const accounts = (await redis.keys(`${prefix}:*:journal:*`)).map((journal) => journal.replace(':journal:', ':account:'))
    const before = await Promise.all(accounts.map((account) => redis.hgetall(account)))
    for (const account of accounts) for (const { kind, field } of corruptions) await corrupt(account, kind, field)
    const damaged = await found(prefix)
    for (const accountKey of new Set(damaged.map(({ key }) => key.accountKey))) {
      expect((await repair(redis, damaged.filter(({ key }) => key.accountKey === accountKey))).filter((outcome) => outcome.kind === 'left')).toEqual([])
    }
    expect(await found(prefix)).toEqual([])
    for (const [i, account] of accounts.entries()) {
      const held = (text = '') => (corruptions.some(({ kind }) => kind === 'account') ? text.replace(/(=\d+):\d+/g, '$1:0') : text)
      const after = await redis.hgetall(account)
      expect({ balance: after[':balance'] ?? '0', lots: after[':lots'] ?? '' }).toEqual({ balance: before[i]![':balance'] ?? '0', lots: held(before[i]![':lots']) })
    }
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.unlink(...keys)
  }), { numRuns: RUNS })
}, 10_000 + RUNS * 100)

async function found(prefix: string) {
  const all = []
  for await (const { findings } of audit(redis, prefix, 64)) all.push(...findings)
  return all
}

async function corrupt(account: string, kind: string, field: string): Promise<void> {
  const is = await redis.hget(account, field)
  switch (kind) {
    case 'account': return void await redis.del(account)
    case 'grants': return void await redis.del(account.replace(':account:', ':grants:'))
    case 'gone': return void await redis.hdel(account, field)
    // Those two are not figures: that they are there is all that can be told.
    case 'garbled': return void (is && isFigure(field) && await redis.hset(account, field, `${is}x`))
    case 'changed': return void (is && isFigure(field) && await redis.hset(account, field, is.replace(/\d/, (digit) => String((Number(digit) + 1) % 10))))
  }
}

const isFigure = (field: string) => field !== ':provisioned' && field !== ':recurring'

/** A refund is of its reservation's first charge, as core looks it up. */
async function refundable(store: Store, command: LedgerCommand): Promise<LedgerCommand> {
  if (command.kind !== 'refund') return command
  const { account, reservation } = command
  const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 1_000 })
  return { ...command, entry: entries.find(({ kind, reference }) => kind === 'charge' && reference === reservation)?.id ?? '' }
}
