import type { LedgerCommand, Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { sentAt, steps } from '../../../test/model/commands.js'
import { audit } from '../dist/audit/audit.js'

const RUNS = Number(process.env['FAREBOX_MODEL_RUNS'] ?? 100)
const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

test(`audit finds nothing wrong with what the store does, over ${RUNS} random runs`, async () => {
  await fc.assert(fc.asyncProperty(steps, async (given) => {
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
    for await (const { findings } of audit(redis, prefix, 64)) expect(findings).toEqual([])
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.unlink(...keys)
  }), { numRuns: RUNS })
}, 10_000 + RUNS * 100)

/** A refund is of its reservation's first charge, as core looks it up. */
async function refundable(store: Store, command: LedgerCommand): Promise<LedgerCommand> {
  if (command.kind !== 'refund') return command
  const { account, reservation } = command
  const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 1_000 })
  return { ...command, entry: entries.find(({ kind, reference }) => kind === 'charge' && reference === reservation)?.id ?? '' }
}
