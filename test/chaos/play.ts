import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, TestRunner } from 'vitest'
import { bundleApp } from './app-process.js'
import { openClient, type Where } from './connection.js'
import { Fleet, TTL } from './fleet.js'
import { Load } from './load.js'
import { untilNothingReserved, verify, type Verdict } from './verify.js'

export const CLEAN: Verdict = { faults: [], lostCharges: 0, lostGrants: 0, lostPending: 0, givenUp: 0 }

const program = bundleApp()
afterAll(async () => (await program).remove())

/** After a fault, for how long Redis may take to be there again, ms. */
const RECOVERY = 30_000

interface Scene {
  readonly name: string
  /** How the apps reach Redis. */
  readonly where: Where
  /** How the test does, where not the same way. */
  readonly admin?: Where
  readonly clocks?: readonly number[]
  /** What happens to them while they are under load. */
  act(fleet: Fleet, load: Load): Promise<void>
}

/** Plays what happens to three app processes under load, then holds the ledger against what their clients were told. */
export async function play({ name, where, admin = where, clocks, act }: Scene): Promise<Verdict> {
  const redis = openClient(admin)
  const prefix = crypto.randomUUID()
  try {
    const fleet = await Fleet.start((await program).file, where, prefix, clocks)
    const load = new Load(() => fleet.anyUrl())
    await load.charges(20)
    await act(fleet, load)
    // Nobody stays down: each goes on as before.
    const silent = fleet.alive ? await load.silentOf(fleet.urls, RECOVERY) : []
    if (fleet.alive && silent.length === 0) await load.charges(50)
    const reservedMs = fleet.alive ? 0 : await untilNothingReserved(redis, prefix, load.book, RECOVERY)
    const book = await load.stop()
    await fleet.close()
    const leftMs = reservedMs || await untilNothingReserved(redis, prefix, book, RECOVERY)
    const verdict = await verify(redis, prefix, book, fleet.givenUp)
    verdict.faults.push(...silent.map((url) => `the app at ${url} did not come back`))
    if (leftMs > TTL + 500) verdict.faults.push(`credits were still set aside after ${leftMs} ms`)
    const { lostCharges, lostPending, lostGrants, givenUp } = verdict
    // For the table of `npm run test:long`.
    Object.assign(TestRunner.getCurrentTest()!.meta, { told: book.charged.size + book.granted.size, lost: lostCharges + lostPending + givenUp + lostGrants })
    const pending = [...book.charged.values()].filter((told) => told.pending).length
    console.info(`${name}: ${book.charged.size} charges (${pending} pending) and ${book.granted.size} grants acknowledged, answers ${JSON.stringify(book.answers)}, ${fleet.kills} kills; lost ${lostCharges} charges, ${lostPending} pending (${givenUp} more are in a log), ${lostGrants} grants`)
    return verdict
  } finally {
    redis.disconnect()
  }
}

/** Some moment or other. */
export function moment(atMost: number): Promise<void> {
  return delay(Math.random() * atMost)
}
