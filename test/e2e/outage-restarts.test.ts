import { accounts, type Entry, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { build } from 'esbuild'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { freePort, startRedis, type RedisServer } from '../support/redis.js'

/** More for a longer search: `FAREBOX_RESTARTS=100 npx vitest run test/e2e/outage-restarts.test.ts` */
const RESTARTS = Number(process.env['FAREBOX_RESTARTS'] ?? 2)
const CALLS = 20
const PREFIX = 'outage'
const STORE_TIMEOUT_MS = 500

let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-'))
  program = join(folder, 'outage-process.cjs')
  await build({ entryPoints: [fileURLToPath(new URL('outage-process.js', import.meta.url))], bundle: true, minify: true, platform: 'node', format: 'cjs', outfile: program })
})
afterAll(() => rm(folder, { recursive: true }))

let directory: string
let spool: string
let redis: RedisServer
let restart: () => Promise<RedisServer>
let store: Store
const children: ChildProcess[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(folder, 'run-'))
  spool = join(directory, 'spool')
  const port = await freePort()
  restart = () => startRedis({ port, args: ['--dir', directory, '--appendonly', 'yes', '--appendfsync', 'always'] })
  redis = await restart()
  store = redisStore(redis.url, { prefix: PREFIX })
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await store.close()
  await redis.stop()
})

/** The calls of one process: those whose callers were told that their charge is pending, and all of them. */
interface Calls {
  readonly pending: number[]
  readonly sent: number[]
}

it.each(['paused', 'killed'] as const)(`after ${RESTARTS} kills of an app while its Redis is %s each charge that a caller was told of is there once`, async (fault) => {
  const all: Calls = { pending: [], sent: [] }
  for (let round = 0; round < RESTARTS; round++) {
    const { child, url } = await start()
    const running = waitForCalls(child)
    const credits = Array.from({ length: CALLS }, (_, i) => round * CALLS + i + 1)
    all.sent.push(...credits)
    const answers = credits.map((credits) => call(url, credits, all.pending))
    // On a busy machine a reserve may be too late: then its call is refused.
    await Promise.race([running, Promise.all(answers), delay(2 * STORE_TIMEOUT_MS)])
    if (fault === 'paused') redis.pause()
    else await redis.stop()
    child.send('go')
    // Mostly when every caller was told, now and then in the midst of the writing.
    await (round % 3 === 2 ? delay(STORE_TIMEOUT_MS + Math.random() * 30) : Promise.all(answers))
    await kill(child)
    await Promise.all(answers)
    if (fault === 'paused') redis.resume()
    else redis = await restart()
    await age()
    // One that is killed while it posts what the other one left.
    const { child: next } = await start()
    await delay(Math.random() * 250)
    await kill(next)
    await age()
  }
  const { child } = await start()
  expect(all.pending.length).toBeGreaterThan(CALLS)
  await expect.poll(async () => missing(all.pending, await charges()), { timeout: 20_000, interval: 50 }).toEqual([])
  await expect.poll(() => readdir(spool), { timeout: 20_000, interval: 50 }).toEqual([])
  const charged = await charges()
  expect(charged.length).toBe(new Set(charged).size)
  expect(missing(charged, all.sent)).toEqual([])
  await kill(child)
}, 300_000)

it('what a killed app has left is found by the next one without anybody\'s help', async () => {
  const { child, url } = await start()
  const running = waitForCalls(child, 1)
  const pending: number[] = []
  const answer = call(url, 7, pending)
  await running
  await redis.stop()
  child.send('go')
  await answer
  await kill(child)
  redis = await restart()
  await start()
  expect(await charges()).toEqual([])
  await expect.poll(charges, { timeout: 25_000, interval: 100 }).toEqual([7])
  expect(pending).toEqual([7])
}, 60_000)

async function start() {
  const child = fork(program, { env: { ...process.env, NODE_ENV: 'test', REDIS_URL: redis.url, PREFIX, SPOOL: spool, STORE_TIMEOUT: String(STORE_TIMEOUT_MS) } })
  children.push(child)
  const [{ port }] = await once(child, 'message') as [{ port: number }]
  return { child, url: `http://127.0.0.1:${port}` }
}

async function waitForCalls(child: ChildProcess, calls = CALLS): Promise<void> {
  let running = 0
  await new Promise<void>((resolve) => {
    child.on('message', () => ++running === calls && resolve())
  })
}

async function call(url: string, credits: number, pending: number[]): Promise<void> {
  try {
    const response = await fetch(`${url}/run/${credits}`, { method: 'POST' })
    if (response.status === 503) return
    const { metering } = await response.json() as { metering: { creditsCharged: number; pending?: boolean } }
    expect(metering).toMatchObject({ creditsCharged: credits, pending: true })
    pending.push(credits)
  } catch (error) {
    // Its process was killed before it could answer.
    if (!(error instanceof TypeError)) throw error
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.signalCode === null && child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
}

/** As if its process had been dead for a while. */
async function age(): Promise<void> {
  for (const name of await readdir(spool).catch(() => [])) await utimes(join(spool, name), 0, 0).catch(() => {})
}

async function charges(): Promise<number[]> {
  const all: Entry[] = []
  for (let page: readonly Entry[]; (page = await accounts({ store }).entries('ada', { after: all.at(-1)?.id ?? '', limit: 1_000 })).length > 0;) all.push(...page)
  return all.filter(({ kind }) => kind === 'charge').map(({ credits }) => -credits)
}

function missing(some: readonly number[], others: readonly number[]): number[] {
  return some.filter((one) => !others.includes(one))
}
