import { memoryStore, type SharedCommand } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'

const RUNS = Number(process.env['FAREBOX_MODEL_RUNS'] ?? 50)
const DAY = 86_400_000

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

const operation = fc.constantFrom('op1', 'o p:2', '')
const name = fc.constantFrom('personas', 'a:b c\n', '')
const command: fc.Arbitrary<SharedCommand> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), operation, place: fc.constantFrom('ada', 'b o\nb', ''), keptMs: fc.constantFrom(0, 1, 60_000, DAY, 10 * DAY) }),
  fc.record({ kind: fc.constant('locate' as const), operation }),
  fc.record({ kind: fc.constant('count' as const), name, counts: fc.dictionary(fc.constantFrom('calls', 'a b', '1:2', ''), fc.integer({ min: 0, max: 1e9 })) }),
  fc.record({ kind: fc.constant('counts' as const), name }),
  fc.record({ kind: fc.constant('lease' as const), name, owner: fc.constantFrom('a', 'b c', ''), ttlMs: fc.constantFrom(0, 1, 60_000, DAY) }),
)
const elapsedMs = fc.constantFrom(0, 0, 0, 1, 60_000, DAY, 6 * DAY, 7 * DAY - 1, 7 * DAY, 14 * DAY)
const steps = fc.array(fc.record({ elapsedMs, command }), { minLength: 1, maxLength: 60, size: 'max' })

test(`redisStore and memoryStore agree on every reply to what no account owns, over ${RUNS} random runs`, async () => {
  await fc.assert(fc.asyncProperty(steps, async (given) => {
    let now = 20_000 * DAY
    const [expected, store] = [memoryStore({ now: () => now }), redisStore(redis, { prefix: crypto.randomUUID(), now: () => now })]
    for (const { elapsedMs, command } of given) {
      now += elapsedMs
      expect(await store.send(command)).toEqual(await expected.send(command))
    }
  }), { numRuns: RUNS })
}, 60_000 + RUNS * 400)
