import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { serveWorker } from '@farebox/example-edge'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

/** A server on workerd, called over HTTP; every test has an account of its own. */
class Edge {
  #accounts = 0

  constructor(readonly url: string) {}

  caller() {
    const headers = { 'x-api-key': `account-${this.#accounts++}`, 'content-type': 'application/json' }
    const call = (method: string, path: string, { body, ...more }: RequestInit = {}) =>
      fetch(this.url + path, { ...more, method, headers: { ...headers, ...more.headers }, ...(body !== undefined && { body }) })
    return {
      headers,
      get: (path: string, init?: RequestInit) => call('GET', path, init),
      post: (path: string, json: unknown, more: Record<string, string> = {}) => call('POST', path, { body: JSON.stringify(json), headers: more }),
      balance: async () => (await call('GET', '/v1/credits/balance')).json() as Promise<{ balance: number, reserved: number, available: number }>,
    }
  }
}

const creditsOf = ({ headers }: Response) => ['ceiling', 'charged', 'remaining'].map((name) => headers.get(`credits-${name}`))

describe('the edge example', () => {
  let program: ChildProcess
  let edge: Edge
  let said = ''
  beforeAll(async () => {
    program = spawn(process.execPath, [fileURLToPath(new URL('../../examples/edge/dist/main.js', import.meta.url))], { env: { ...process.env, PORT: '0', ALLOWANCE: '5', REDIS_URL: '' }, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [program.stdout!, program.stderr!]) stream.on('data', (text) => { said += String(text) })
    await vi.waitFor(() => expect(said).toContain('usage-summary'), { timeout: 20_000 })
    edge = new Edge(/http:\/\/\S+/.exec(said)![0])
  }, 30_000)
  afterAll(async () => {
    program.kill('SIGTERM')
    await once(program, 'exit')
    expect(said.trim().split('\n').at(-1)).toBe('edge closed')
  })

  it('prints its routes with their prices and four curl lines', () => {
    expect(said).toMatch(/^POST \/v1\/moderate +0\.5 /m)
    expect(said).toMatch(/^POST \/v1\/summarize +\S/m)
    expect(said.match(/^curl /gm)).toHaveLength(4)
  })

  it('charges what a call used, and says so', async () => {
    const caller = edge.caller()
    const response = await caller.post('/v1/moderate', { texts: ['hello', 'shut up', 'hello'] })
    expect(creditsOf(response)).toEqual(['1.5', '1', '4'])
    expect(await response.json()).toMatchObject({ verdicts: [{ allowed: true }, { allowed: false }], metering: { creditsCharged: 1, estimatedMaxCredits: 1.5 } })
    expect(await caller.balance()).toEqual({ balance: 4, reserved: 0, available: 4 })
    expect(await (await caller.post('/v1/credits/projections/usage-summary', {})).json()).toMatchObject({ total_calls: 1, total_credits: 1, per_component: [{ component: 'moderation' }] })
  })

  it('refuses with 402 what credits do not cover, 422 what it can\'t price, 401 nobody', async () => {
    const caller = edge.caller()
    expect((await caller.post('/v1/moderate', { texts: Array.from({ length: 11 }, String) })).status).toBe(402)
    expect((await caller.post('/v1/moderate', { texts: [] })).status).toBe(422)
    expect((await fetch(`${edge.url}/v1/moderate`, { method: 'POST' })).status).toBe(401)
    expect(await caller.balance()).toEqual({ balance: 5, reserved: 0, available: 5 })
  })

  it('a failure is free', async () => {
    const caller = edge.caller()
    const response = await caller.post('/v1/moderate', { texts: ['a'] }, { 'x-simulate': 'error' })
    expect([response.status, creditsOf(response)]).toEqual([500, ['0.5', '0', '5']])
  })

  it('an estimate says what a call costs at most, and costs nothing', async () => {
    const caller = edge.caller()
    const texts = Array.from({ length: 11 }, String)
    const [small, large] = await Promise.all([texts.slice(0, 3), texts].map(async (some) => (await caller.post('/v1/moderate/estimate', { texts: some })).json()))
    expect(small).toMatchObject({ estimatedMaxCredits: 1.5, likelySyncOrAsync: 'sync', withinPlanLimits: true })
    expect(large).toMatchObject({ estimatedMaxCredits: 5.5, withinPlanLimits: false })
    expect((await caller.post('/v1/moderate/estimate', { texts: [] })).status).toBe(422)
    expect(await caller.balance()).toMatchObject({ reserved: 0 })
    expect(await (await caller.post('/v1/credits/projections/usage-summary', {})).json()).toMatchObject({ total_calls: 0 })
  })

  it('a call sent again under its Idempotency-Key answers the same and is charged once', async () => {
    const caller = edge.caller()
    const send = async (texts: string[]) => {
      const response = await caller.post('/v1/moderate', { texts }, { 'idempotency-key': 'key-1' })
      return { status: response.status, replayed: response.headers.get('idempotent-replayed'), credits: creditsOf(response), body: await response.json() as object }
    }
    const first = await send(['hello', 'shut up', 'hello'])
    expect(first).toMatchObject({ status: 200, replayed: null, credits: ['1.5', '1', '4'] })
    expect(await send(['hello', 'shut up', 'hello'])).toEqual({ ...first, replayed: 'true' })
    expect(await send(['hello'])).toMatchObject({ status: 422, body: { error: { code: 'IDEMPOTENCY_MISMATCH' } } })
    expect(await caller.balance()).toEqual({ balance: 4, reserved: 0, available: 4 })
  })

  it('a stream is charged at its end, and under its key once', async () => {
    const caller = edge.caller()
    const send = () => caller.post('/v1/summarize', { text: 'One. Two. Three. Four.' }, { 'idempotency-key': 'key-1' })
    expect(await (await send()).text()).toBe('One.\nFour.\n')
    await expect.poll(caller.balance).toEqual({ balance: 4, reserved: 0, available: 4 })
    const again = await send()
    expect([again.status, await again.json()]).toMatchObject([409, { error: { code: 'IDEMPOTENCY_RESULT_UNAVAILABLE' } }])
    expect(await caller.balance()).toEqual({ balance: 4, reserved: 0, available: 4 })
  })

  it('a stream tells its ceiling at once, its charge not before its end', async () => {
    const caller = edge.caller()
    const response = await caller.post('/v1/summarize', { text: 'One. Two. Three. Four.' })
    expect([await response.text(), creditsOf(response)]).toEqual(['One.\nFour.\n', ['1', null, null]])
    await expect.poll(caller.balance).toEqual({ balance: 4, reserved: 0, available: 4 })
  })

  it('of many calls at once exactly those run that the credits cover', async () => {
    const caller = edge.caller()
    const calls = Array.from({ length: 20 }, () => caller.post('/v1/moderate', { texts: ['a', 'b'] }, { 'x-simulate': 'slow:300' }))
    await expect.poll(caller.balance).toEqual({ balance: 5, reserved: 5, available: 0 })
    const statuses = (await Promise.all(calls)).map(({ status }) => status).toSorted()
    expect(statuses).toEqual([...Array<number>(5).fill(200), ...Array<number>(15).fill(402)])
    expect(await caller.balance()).toEqual({ balance: 0, reserved: 0, available: 0 })
  })
})

describe('on workerd', () => {
  let worker: Awaited<ReturnType<typeof serveWorker>>
  let edge: Edge
  beforeAll(async () => {
    worker = await serveWorker(fileURLToPath(new URL('./edge-worker.ts', import.meta.url)), 0, {})
    edge = new Edge(`http://localhost:${await worker.listening}`)
  }, 30_000)
  afterAll(async () => {
    worker.workerd.kill('SIGTERM')
    await once(worker.workerd, 'exit')
  })

  it('a call keeps its credits for as long as it runs, also when the call that came before it is over', async () => {
    await edge.caller().post('/slow?ms=0', {})
    const caller = edge.caller()
    const answered = caller.post('/slow?ms=2500', {})
    const startedAt = performance.now()
    await expect.poll(caller.balance).toMatchObject({ reserved: 5 })
    // Twice what a reservation lives that nobody renews.
    await expect.poll(async () => {
      expect(await caller.balance()).toMatchObject({ reserved: 5 })
      return performance.now() - startedAt
    }, { timeout: 5_000, interval: 100 }).toBeGreaterThan(2_000)
    expect(creditsOf(await answered)).toEqual(['5', '5', '95'])
  }, 10_000)

  it('a body that is complete is settled before it is sent, and keeps its length', async () => {
    for (const [path, length] of [['/text', '5'], ['/bytes', '300000']] as const) {
      const response = await edge.caller().get(path)
      expect([response.headers.get('content-length'), creditsOf(response)]).toEqual([length, ['5', '5', '95']])
      expect((await response.arrayBuffer()).byteLength).toBe(Number(length))
    }
  })

  it('a stream goes out as it comes', async () => {
    const caller = edge.caller()
    const response = await caller.get('/stream?ms=200')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect(await reader.read()).toEqual({ done: false, value: 'first' })
    expect(await caller.balance()).toMatchObject({ reserved: 5 })
    expect(await reader.read()).toEqual({ done: false, value: '-last' })
    expect(await reader.read()).toMatchObject({ done: true })
    await expect.poll(caller.balance).toEqual({ balance: 95, reserved: 0, available: 95 })
  })

  it('a stream whose client goes away is settled', async () => {
    const caller = edge.caller()
    const gone = new AbortController()
    const reader = (await caller.get('/stream?ms=300', { signal: gone.signal })).body!.getReader()
    await reader.read()
    gone.abort()
    // Settled, and not run out: that would have cost nothing.
    await expect.poll(caller.balance, { timeout: 5_000 }).toEqual({ balance: 95, reserved: 0, available: 95 })
  })

  it('an upgrade passes', async () => {
    const caller = edge.caller()
    const upgrade = request(`${edge.url}/socket`, { headers: { ...caller.headers, connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AQIDBAUGBwgJCgsMDQ4PEA==' } })
    const [response, socket] = await once(upgrade.end(), 'upgrade') as [IncomingMessage, Socket]
    socket.destroy()
    expect([response.statusCode, response.headers['credits-charged']]).toEqual([101, '5'])
  })
})
