import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../support/redis.js'
import { bundleApp } from './app-process.js'
import { Fleet } from './fleet.js'
import { Load } from './load.js'
import { untilNothingReserved, verify } from './verify.js'

/** More for a longer search: `FAREBOX_KILLS=200 npx vitest run test/chaos/kills.test.ts` */
const KILLS = Number(process.env['FAREBOX_KILLS'] ?? 6)
const TTL = 1_000

let program: Awaited<ReturnType<typeof bundleApp>>
let server: RedisServer
let redis: Redis
beforeAll(async () => {
  program = await bundleApp()
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
  await program.remove()
})

it(`nothing that was acknowledged is lost, doubled or overspent over ${KILLS} kills of app processes under load`, async () => {
  const prefix = crypto.randomUUID()
  const fleet = await Fleet.start(program.file, { where: server.url, prefix, reservationTtl: TTL })
  const load = new Load(() => fleet.anyUrl())
  setInterval(() => console.log(fleet.kills, load.book.answers, load.book.charged.size), 2000)
  while (fleet.kills < KILLS - 3) {
    await delay(Math.random() * 100)
    await fleet.killOne()
  }
  await load.charges(100)
  await fleet.killAll()
  // What dead processes had set aside comes back by itself.
  expect(await untilNothingReserved(redis, prefix, load.book, TTL + 1_000)).toBeLessThan(TTL + 250)
  const book = await load.stop()
  const verdict = await verify(redis, prefix, book)
  console.log('kills', fleet.kills, 'charges', book.charged.size, 'grants', book.granted.size, book.answers)
  expect(verdict).toEqual({ faults: [], lostCharges: 0, lostGrants: 0, lostPending: 0 })
}, 15_000 + KILLS * 2_000)
