import { Redis } from 'ioredis'
import { afterAll, inject, test } from 'vitest'
import { redisBench } from './redis.js'
import { play } from './run.js'
import { search } from './search.js'

/** More for a longer search: `FAREBOX_REDIS_STEPS=100000 npx vitest run test/property` */
const STEPS = Number(process.env['FAREBOX_REDIS_STEPS'] ?? 2_000)

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

test(`in Redis all invariants hold after each of ${STEPS} random steps`, async () => {
  await search(STEPS, async (story, counts) => {
    const bench = redisBench(redis)
    await play(story, bench, counts)
    await bench.clear()
  })
}, 60_000 + STEPS * 10)
