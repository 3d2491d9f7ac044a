import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { freePort, startRedis } from '../support/redis.js'
import { CLEAN, moment, play } from './play.js'

/** More for a longer search: `FAREBOX_FAULTS=50 npx vitest run test/chaos/faults.test.ts` */
const FAULTS = Number(process.env['FAREBOX_FAULTS'] ?? 2)
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
  'hanging': async (admin) => { await admin.call('CLIENT', 'PAUSE', '300', 'ALL') },
}

it.each(Object.keys(faults))(`nothing is lost or charged twice: ${FAULTS} times %s`, async (name) => {
  expect(await played(name, faults[name]!, [0])).toEqual(CLEAN)
}, 30_000 + FAULTS * 3_000)

it('the clock of an app\'s host decides nothing: hours behind, right and hours ahead', async () => {
  expect(await played('clocks off by hours', () => delay(0), [-5 * HOUR, 0, 7 * HOUR])).toEqual(CLEAN)
}, 30_000 + FAULTS * 3_000)

async function played(name: string, fault: (admin: Redis) => Promise<void>, clocks: readonly number[]) {
  const server = await startRedis()
  const admin = new Redis(server.url)
  onTestFinished(async () => {
    admin.disconnect()
    await server.stop()
  })
  return play({
    name, where: server.url, clocks,
    async act(_, load) {
      for (let times = 0; times < FAULTS; times++) {
        await load.charges(20)
        await fault(admin)
      }
    },
  })
}
