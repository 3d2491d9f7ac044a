import { expect, inject, it } from 'vitest'
import { CLEAN, moment, play } from './play.js'

/** More for a longer search: `FAREBOX_KILLS=200 npx vitest run test/chaos/kills.test.ts` */
const KILLS = Number(process.env['FAREBOX_KILLS'] ?? 6)

it(`nothing that was acknowledged is lost, doubled or overspent over ${KILLS} kills of app processes under load, and what they had set aside comes back`, async () => {
  const verdict = await play({
    name: 'app processes killed', where: `${inject('redisUrl')}/7`,
    async act(fleet, load) {
      while (fleet.kills < KILLS - 3) {
        await moment(100)
        await fleet.killOne()
      }
      await load.charges(50)
      await fleet.killAll()
    },
  })
  // A charge that was told to be pending goes with its process; here the store is always there.
  expect(verdict).toEqual(CLEAN)
}, 90_000 + KILLS * 10_000)
