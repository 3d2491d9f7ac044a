import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { freePort, startRedis } from '../support/redis.js'
import { CLEAN, moment, play } from './play.js'

/** More for a longer search: `FAREBOX_FAULTS=50 npx vitest run test/chaos/faults.test.ts` */
const FAULTS = Number(process.env['FAREBOX_FAULTS'] ?? 1)
const HOUR = 3_600_000

const faults: Readonly<Record<string, (admin: Redis) => Promise<void>>> = {
  'scripts flushed': async (admin) => { await admin.script('FLUSH') },
  'memory full': async (admin) => {
    await admin.config('SET', 'maxmemory', '1')
    await moment(300)
    await admin.config('SET', 'maxmemory', '0')
  },
  'a read-only replica': async (admin) => {
    // Of a master that is not there: it keeps what it has, and takes nothing.
    await admin.replicaof('127.0.0.1', await freePort())
    await moment(300)
    await admin.replicaof('NO', 'ONE')
  },
  hanging: async (admin) => { await admin.call('CLIENT', 'PAUSE', '300', 'ALL') },
}

it(`nothing is lost or charged twice: ${FAULTS} times each of ${Object.keys(faults).join(', ')}, with hosts whose clocks are hours behind and ahead`, async () => {
  const server = await startRedis()
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  expect(await play({
    name: `${FAULTS} times each of ${Object.keys(faults).join(', ')}, clocks off`, where: server.url, clocks: [-5 * HOUR, 0, 7 * HOUR],
    async act(_, load) {
      for (let times = 0; times < FAULTS; times++) {
        for (const fault of Object.values(faults)) {
          await load.charges(20)
          await fault(admin)
        }
      }
    },
  })).toEqual(CLEAN)
}, 90_000 + FAULTS * 10_000)
