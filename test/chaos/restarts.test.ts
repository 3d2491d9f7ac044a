import { expect, it, onTestFinished } from 'vitest'
import { DurableRedis } from './durable-redis.js'
import { CLEAN, moment, play } from './play.js'

/** More for a longer search: `FAREBOX_REDIS_RESTARTS=50 npx vitest run test/chaos/restarts.test.ts` */
const RESTARTS = Number(process.env['FAREBOX_REDIS_RESTARTS'] ?? 1)
/** What `everysec` may have left unwritten when the power fails, ms. */
const UNWRITTEN = 1_000

it(`nothing is lost over ${RESTARTS} kills of Redis with appendfsync always`, async () => {
  expect(await withRestarts('Redis killed, always', 'always', 0)).toEqual(CLEAN)
}, 90_000 + RESTARTS * 10_000)

// Redis answers before it writes while an fsync of the second before is under way, so the death of the process alone may lose something.
it.each([['is killed', 0], ['loses its power', UNWRITTEN]] as const)(`what is lost under everysec when Redis %s is lost whole: the books add up over ${RESTARTS} times`, async (how, unwritten) => {
  const { faults } = await withRestarts(`Redis ${how}, everysec`, 'everysec', unwritten)
  expect(faults).toEqual([])
}, 90_000 + RESTARTS * 10_000)

async function withRestarts(name: string, fsync: 'always' | 'everysec', unwritten: number) {
  const redis = await DurableRedis.start(fsync)
  onTestFinished(() => redis.stop())
  return play({
    name, where: redis.url,
    async act(_, load) {
      for (let restart = 0; restart < RESTARTS; restart++) {
        await load.charges(10)
        await moment(200)
        await redis.restart(unwritten)
      }
    },
  })
}
