import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { accounts, isFareboxError, memoryStore, type LedgerCommand, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { scanKeys } from '@farebox/redis/inspect'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, it } from 'vitest'
import { isWellFormed, ROUNDS, SEED, texts } from './texts.js'

const redis = new Redis(inject('redisUrl'))
const prefix = `hostile-${crypto.randomUUID()}`
const used = new Set<string>()
afterAll(() => redis.quit())

/** Everything an outsider may have a say in. */
const words = fc.record({
  account: texts, other: texts, operation: texts, key: texts, scope: texts, product: texts, grant: texts, reason: texts, result: texts, refund: texts, watch: texts, reservation: fc.uuid(),
  recurrence: fc.constantFrom(undefined, { every: 'day' as const, rollover: 500 }, { every: 'month' as const, rollover: 0 }),
})
type Words = typeof words extends fc.Arbitrary<infer W> ? W : never

/** A life of a call with all its texts: granted, reserved, held as an operation, found again, finished, its thresholds told. */
function commandsOf({ account, operation, key, scope, product, grant, reason, result, watch, reservation, recurrence }: Words): readonly LedgerCommand[] {
  const idempotency = { key, payload: reason }
  return [
    { kind: 'grant', account, grant, amount: 5_000, reason, source: product, priority: 50, expiresAt: 0 },
    { kind: 'grant', account, grant, amount: 6_000, reason, source: product, priority: 50, expiresAt: 0 },
    { kind: 'reserve', account, reservation, ceiling: 1_000, ttlMs: 60_000, allowance: 10_000, recurrence, ...idempotency, budgets: [{ scope, window: 'total', limit: 1_000_000 }] },
    { kind: 'hold', account, reservation, operation, ceiling: 1_000, product, ttlMs: 60_000, ...idempotency, response: result },
    { kind: 'finish', account, operation, reservation, key, succeeded: 1, charge: 700, details: '', budgets: [{ scope, window: 'total' }], result },
    { kind: 'settle', account, reservation, ceiling: 1_000, charge: 700, product, firstSentAt: Date.now(), ...idempotency, response: result, budgets: [{ scope, window: 'total' }] },
    { kind: 'watch', account, watch, thresholds: [{ kind: 'below', amount: 1 }, { kind: 'used', millionths: 1 }, { kind: 'top_up', amount: 1_000_000, retryMs: 60_000 }] },
    { kind: 'grant', account, grant: 'auto-top-up:1', amount: 20_000, reason, source: 'top-up', priority: 50, expiresAt: 0 },
    { kind: 'balance', account, budgets: [{ scope, window: 'total' }] },
    { kind: 'usage', account },
    { kind: 'entries', account, after: '', limit: 1_000 },
    { kind: 'operation', account, operation },
  ] as LedgerCommand[]
}

/** What was charged is given back in parts: once an id, and never for a call that was another's. */
function refundsOf({ account, other, product, refund, reason, reservation }: Words, entry: string): readonly LedgerCommand[] {
  const given = { kind: 'refund', account, refund, reservation, entry, amount: 300, reason, details: JSON.stringify({ refundId: refund }) } as const
  return [
    given, given, { ...given, amount: 100 }, { ...given, refund: `${refund}2`, reason: product, amount: 0 }, { ...given, refund: `${refund}3` },
    { ...given, reservation: other }, { ...given, reservation: other, entry: '' }, { kind: 'usage', account },
  ]
}

/** An outcome, or the code of the error that it was refused with. */
async function told(store: Store, command: LedgerCommand): Promise<unknown> {
  try {
    return steady(await store.send(command))
  } catch (error) {
    if (!isFareboxError(error)) throw error
    return error.code
  }
}

/** Without the moments, which differ between two stores. */
function steady(reply: unknown): unknown {
  return JSON.parse(JSON.stringify(reply, (name, value: unknown) => (['at', 'expiresAt', 'startedAt', 'finishedAt', 'reservedAt', 'freesAt', 'today', 'day'].includes(name) ? 0 : value)))
}

it('no text gets out of its place: memory and Redis say the same, and every key in Redis is its account\'s', async () => {
  const stores = [memoryStore(), redisStore(redis, { prefix, partitions: 4 })] as const
  const kinds = new Set<unknown>()
  const sendAll = async (commands: readonly LedgerCommand[]) => {
    for (const command of commands) {
      const [inMemory, inRedis] = await Promise.all(stores.map((store) => told(store, command)))
      expect(inRedis, JSON.stringify(command).slice(0, 500)).toEqual(inMemory)
      kinds.add((inMemory as { kind?: string }).kind)
    }
  }
  await fc.assert(fc.asyncProperty(words, async (round) => {
    const { account, operation, reservation } = round
    // What core does not let through, no store is asked for.
    if (!Object.values(round).every((word) => typeof word !== 'string' || isWellFormed(word)) || account === '' || operation === '') return
    used.add(account)
    await sendAll(commandsOf(round))
    const { entries } = await stores[0].send({ kind: 'entries', account, after: '', limit: 1_000 })
    await sendAll(refundsOf(round, entries.find(({ kind, reference }) => kind === 'charge' && reference === reservation)?.id ?? ''))
  }), { seed: SEED, numRuns: ROUNDS })
  expect([...kinds]).toEqual(expect.arrayContaining(['granted', 'grant_conflict', 'reserved', 'watched', 'refunded', 'refund_conflict', 'refund_too_high', 'no_charge']))
  await expectClean()
  // A second look by what the stores tell: every account has entries of its own and no one else's.
  for (const account of used) {
    const [a, b] = await Promise.all(stores.map(async (store) => steady(await store.send({ kind: 'entries', account, after: '', limit: 1_000 }))))
    expect(b).toEqual(a)
  }
}, 60_000 + ROUNDS * 50)

it.each(['memory', 'redis'] as const)('a text that is not well-formed is refused before it reaches a store: %s', async (kind) => {
  const store = kind === 'memory' ? memoryStore() : redisStore(redis, { prefix, partitions: 4 })
  const desk = accounts({ store })
  const refused = { code: 'ARGUMENT_INVALID' }
  for (const bad of ['\ud800', 'ada\udfff']) {
    await expect(desk.balance(bad)).rejects.toMatchObject(refused)
    await expect(desk.entries(bad)).rejects.toMatchObject(refused)
    await expect(desk.grant(bad, 1, { id: 'g', reason: '' })).rejects.toMatchObject(refused)
    await expect(desk.grant('ill', 1, { id: bad, reason: '' })).rejects.toMatchObject(refused)
    await expect(desk.grant('ill', 1, { id: 'g', reason: bad })).rejects.toMatchObject(refused)
    await expect(desk.grant('ill', 1, { id: 'g', reason: '', source: bad })).rejects.toMatchObject(refused)
    await expect(desk.refund('ill', bad, { id: 'r', reason: '' })).rejects.toMatchObject(refused)
    await expect(desk.refund('ill', 'x', { id: bad, reason: '' })).rejects.toMatchObject(refused)
    await expect(desk.refund('ill', 'x', { id: 'r', reason: bad })).rejects.toMatchObject(refused)
  }
  expect(await desk.balance('ill')).toMatchObject({ balance: 0 })
})

async function expectClean(): Promise<void> {
  for await (const { keys } of scanKeys(redis, prefix, 4)) {
    for (const { key, account, partition, rightPartition } of keys) {
      expect(used.has(account), `${key} belongs to ${JSON.stringify(account)}, which nobody named`).toBe(true)
      expect(partition).toBe(rightPartition)
    }
  }
  const all = await redis.keys('*')
  const form = new RegExp(`^${prefix}:(?:\\{\\d\\}:[a-z-]+(?::[^:{}\\s]+){0,2}|partitions|journal-export|[a-z-]+:[^:\\s]+)$`)
  expect(all.filter((key) => key.startsWith(prefix) && !form.test(key))).toEqual([])
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../packages/cli/bin/farebox.js', import.meta.url)), 'audit', '--prefix', prefix, '--redis', inject('redisUrl')]).catch((failed: { stdout: string }) => failed)
  expect(stdout).toMatch(/ 0 findings/)
}
