import { expect, it, onTestFinished } from 'vitest'
import { play } from './play.js'
import { Sentinels } from './sentinel.js'

/** Not in every run, a failover takes seconds: `FAREBOX_FAILOVERS=5 npx vitest run test/chaos/sentinel.test.ts` */
const FAILOVERS = Number(process.env['FAREBOX_FAILOVERS'] ?? 0)

const scenes = [['kill', true], ['hang', true], ['kill', false], ['hang', false]] as const

it.skipIf(FAILOVERS === 0).each(scenes)(`what a failover of Sentinel loses is lost whole: the books add up over ${FAILOVERS} times (%s, min-replicas: %s)`, async (how, guarded) => {
  const redis = await Sentinels.start(guarded)
  onTestFinished(() => redis.stop())
  const { faults } = await play({
    name: `Sentinel failover, master: ${how}, min-replicas: ${guarded}`, where: { sentinels: redis.addresses },
    async act(_, load) {
      for (let times = 0; times < FAILOVERS; times++) {
        await load.charges(20)
        await redis.failOver(how)
      }
    },
  })
  expect(faults).toEqual([])
}, 60_000 + FAILOVERS * 30_000)
