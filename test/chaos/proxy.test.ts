import { expect, it, onTestFinished } from 'vitest'
import { startRedis } from '../support/redis.js'
import { CLEAN, play } from './play.js'
import { startProxy } from './proxy.js'

/** More for a longer search: `FAREBOX_CUTS=500 npx vitest run test/chaos/proxy.test.ts`; FAREBOX_SEED for its schedule again. */
const CUTS = Number(process.env['FAREBOX_CUTS'] ?? 8)
const SEED = Number(process.env['FAREBOX_SEED'] ?? Math.floor(Math.random() * 2 ** 32))

it(`nothing is lost or charged twice over ${CUTS} answers of Redis that are cut off, lost or late (seed ${SEED})`, async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const proxy = await startProxy(redis.port, SEED)
  onTestFinished(() => proxy.stop())
  const count = () => proxy.faults.cut + proxy.faults.lost + proxy.faults.late
  expect(await play({
    name: `proxy, seed ${SEED}`, where: proxy.url, admin: redis.url,
    async act(_, load) {
      while (count() < CUTS) await load.charges(5)
      proxy.heal()
      console.info(`proxy: ${JSON.stringify(proxy.faults)}`)
    },
  })).toEqual(CLEAN)
}, 90_000 + CUTS * 1_000)
