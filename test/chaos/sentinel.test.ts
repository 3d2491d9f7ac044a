import { expect, it, onTestFinished } from 'vitest'
import { play } from './play.js'
import { Sentinels } from './sentinel.js'

/** Not in every run, a failover takes seconds: `FAREBOX_FAILOVERS=5 npx vitest run test/chaos/sentinel.test.ts` */
const FAILOVERS = Number(process.env['FAREBOX_FAILOVERS'] ?? 0)

it.skipIf(FAILOVERS === 0).each(['kill', 'hang'] as const)(`what a failover of Sentinel loses is lost whole: the books add up over ${FAILOVERS} times (%s)`, async (how) => {
  const redis = await Sentinels.start()
  onTestFinished(() => redis.stop())
  const { faults } = await play({
    name: `Sentinel failover, master: ${how}`, where: { sentinels: redis.addresses },
    async act(_, load) {
      for (let times = 0; times < FAILOVERS; times++) {
        await load.charges(20)
        await redis.failOver(how)
      }
    },
  })
  expect(faults).toEqual([])
}, 60_000 + FAILOVERS * 30_000)
