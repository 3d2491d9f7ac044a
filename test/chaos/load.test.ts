import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { DurableRedis } from './durable-redis.js'
import { moment, play } from './play.js'

/** `npm run test:load`; not in every run. */
const MINUTES = Number(process.env['FAREBOX_LOAD_MINUTES'] ?? 0)

it.skipIf(MINUTES === 0)(`after ${MINUTES} minutes of traffic with kills and outages the books are clean`, async () => {
  const redis = await DurableRedis.start('always')
  const admin = new Redis(redis.url)
  admin.on('error', () => {})
  onTestFinished(async () => {
    admin.disconnect()
    await redis.stop()
  })
  const done = { kills: 0, restarts: 0, flushes: 0 }
  const verdict = await play({
    name: `${MINUTES} minutes of load`, where: redis.url,
    async act(fleet, load) {
      for (const end = Date.now() + MINUTES * 60_000; Date.now() < end;) {
        await load.charges(20)
        await moment(2_000)
        const dice = Math.random()
        if (dice < 0.5) await fleet.killOne()
        else if (dice < 0.8) await redis.restart().then(() => { done.restarts++ })
        else await admin.script('FLUSH').then(() => { done.flushes++ }, () => {})
      }
      done.kills = fleet.kills
    },
  })
  console.table([{ minutes: MINUTES, ...done, ...verdict, faults: verdict.faults.length }])
  // What is told to be pending is kept in memory, and goes with a process that is killed.
  expect(verdict).toMatchObject({ faults: [], lostCharges: 0, lostGrants: 0 })
}, MINUTES * 60_000 + 60_000)
