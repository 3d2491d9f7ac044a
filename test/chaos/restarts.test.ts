import { expect, it, onTestFinished } from 'vitest'
import { DurableRedis } from './durable-redis.js'
import { CLEAN, moment, play } from './play.js'

/** More for a longer search: `FAREBOX_REDIS_RESTARTS=50 npx vitest run test/chaos/restarts.test.ts` */
const RESTARTS = Number(process.env['FAREBOX_REDIS_RESTARTS'] ?? 1)
/** What `everysec` may have left unwritten when the power fails, ms. */
const UNWRITTEN = 1_000

it.each(['always', 'everysec'] as const)(`nothing is lost over ${RESTARTS} kills of Redis with appendfsync %s: what was written survives the process`, async (fsync) => {
  expect(await withRestarts(`Redis killed, ${fsync}`, fsync, 0)).toEqual(CLEAN)
}, 30_000 + RESTARTS * 5_000)

it(`what is lost when the power fails under everysec is lost whole: the books add up over ${RESTARTS} times`, async () => {
  const { faults } = await withRestarts(`power cut, everysec, ${UNWRITTEN} ms unwritten`, 'everysec', UNWRITTEN)
  expect(faults).toEqual([])
}, 30_000 + RESTARTS * 5_000)

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
