// The Hog as it runs in production: research is done in another process than requests, and either may die.
import { randomUUID } from 'node:crypto'
import type { Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { start } from './example.js'
import { makeTheHog } from './makers.js'
import { run, type Program } from './program.js'

const ALLOWANCE = 500
/** How long is waited for what another process does. */
const PATIENCE = { timeout: 10_000, interval: 50 }

interface Polled {
  readonly status: string
  readonly metering: { readonly creditsCharged: number }
  readonly result: { readonly sources: readonly string[] } | null
}

/** The example, with Redis and its worker. */
async function startHog() {
  const program = run('examples/the-hog/dist/main.js', { env: { REDIS_URL: inject('redisUrl'), ALLOWANCE: String(ALLOWANCE) } })
  const [url] = /http:\/\/\S+/.exec(await program.listens)!
  return { ...program, url }
}

/** The workers that a program had so far, oldest first. */
const workersOf = ({ said }: Program): number[] => [...said().matchAll(/research worker (\d+)/g)].map(([, pid]) => Number(pid))

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function callerOf(url: string, account: string = randomUUID()) {
  const headers = { 'x-api-key': account, 'content-type': 'application/json' }
  const get = async <Body>(path: string) => (await fetch(url + path, { headers })).json() as Promise<Body>
  const poll = (id: string) => get<Polled>(`/api/operations/${id}`)
  return {
    account,
    balance: () => get('/v1/credits/balance'),
    poll,
    /** Begins a research and gives its operation's id. */
    async research(question: string): Promise<string> {
      const response = await fetch(`${url}/api/deep-research`, { method: 'POST', headers, body: JSON.stringify({ question }) })
      expect(response.status).toBe(202)
      return (await response.json() as { operationId: string }).operationId
    },
    async finished(id: string): Promise<Polled> {
      await expect.poll(async () => (await poll(id)).status, PATIENCE).not.toBe('pending')
      return poll(id)
    },
  }
}

/** What it comes to for a caller that has done nothing else. */
async function expectSucceeded(caller: ReturnType<typeof callerOf>, id: string) {
  const { status, metering: { creditsCharged }, result } = await caller.finished(id)
  expect({ status, creditsCharged }).toEqual({ status: 'succeeded', creditsCharged: 10 * result!.sources.length })
  expect(await caller.balance()).toEqual({ balance: ALLOWANCE - creditsCharged, reserved: 0, available: ALLOWANCE - creditsCharged })
}

describe('The Hog with a worker', () => {
  let hog: Awaited<ReturnType<typeof startHog>>
  beforeAll(async () => { hog = await startHog() })

  it('researches in a process of its own, while the one that serves answers other calls', async () => {
    const caller = callerOf(hog.url)
    const id = await caller.research('Who?')
    expect(await caller.poll(id)).toMatchObject({ status: 'pending', result: null })
    expect(await caller.balance()).toEqual({ balance: ALLOWANCE, reserved: 50, available: ALLOWANCE - 50 })
    await expectSucceeded(caller, id)
    expect(workersOf(hog)).toHaveLength(1)
    expect(workersOf(hog)).not.toContain(hog.child.pid)
  })

  it('finishes and charges a research that was answered with 202 although the process that answered is killed', async () => {
    const killed = await startHog()
    const before = callerOf(killed.url)
    const id = await before.research('Who?')
    killed.child.kill('SIGKILL')
    await expectSucceeded(callerOf(hog.url, before.account), id)
    // Its worker has done what was begun, and ends.
    await killed.ended
  })

  it('finishes on SIGTERM what was begun before it ends', async () => {
    const ending = await startHog()
    const before = callerOf(ending.url)
    const id = await before.research('Who?')
    ending.child.kill('SIGTERM')
    expect(await ending.ended).toMatchObject({ status: 0, said: expect.stringContaining('the-hog closed') as string })
    const after = callerOf(hog.url, before.account)
    expect(await after.poll(id)).toMatchObject({ status: 'succeeded' })
    await expectSucceeded(after, id)
  })

  it('goes on with another worker when its worker is killed; the credits of what that one had begun stay set aside', async () => {
    const [one, two] = [callerOf(hog.url), callerOf(hog.url)]
    const lost = await one.research('Who?')
    const [worker] = workersOf(hog)
    process.kill(worker!, 'SIGKILL')
    await expect.poll(() => isAlive(worker!), PATIENCE).toBe(false)
    await expectSucceeded(two, await two.research('Who else?'))
    expect(workersOf(hog)).toHaveLength(2)
    expect(await one.poll(lost)).toMatchObject({ status: 'pending' })
    expect(await one.balance()).toEqual({ balance: ALLOWANCE, reserved: 50, available: ALLOWANCE - 50 })
  })
})

it('an operation that nobody finishes expires after the maxDuration of its route, and costs nothing', async () => {
  const HELD_MS = 200
  const store = redisStore(inject('redisUrl'), { prefix: randomUUID() })
  // As if maxDuration were that short.
  const hasty: Store = { ...store, close: () => store.close(), send: (command) => store.send(command.kind === 'reserve' || command.kind === 'hold' ? { ...command, ttlMs: HELD_MS } : command) }
  const api = await start((options) => makeTheHog({ ...options, begin: async () => {} }), hasty, ALLOWANCE)
  onTestFinished(() => api.close())
  const caller = api.caller()
  const { body } = await caller.post<{ operationId: string; pollUrl: string }>('/api/deep-research', { question: 'Who?' })
  await expect.poll(async () => (await caller.get<Polled>(body.pollUrl)).body.status).toBe('expired')
  expect((await caller.get(body.pollUrl)).body).toEqual({ operationId: body.operationId, status: 'expired', metering: { creditsCharged: 0, estimatedMaxCredits: 50 }, result: null })
  expect(await caller.balance()).toEqual({ balance: ALLOWANCE, reserved: 0, available: ALLOWANCE })
  expect(await caller.charges()).toEqual([])
})
