// @farebox/client against the examples, one of each framework.
import { estimate, fareboxFetch, type FareboxOptions } from '@farebox/client'
import { redisStore } from '@farebox/redis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { start, type Caller, type Running } from './example.js'
import { makeHumalike, makeLlmChat, makeTheHog } from './makers.js'

const examples = [
  ['the-hog', makeTheHog, { path: '/api/companies/search', body: { domains: ['acme.com', 'globex.com', 'initech.cached.example'] }, price: 3, charge: 2 }],
  ['humalike', makeHumalike, { path: '/v1/social-learning/profiles/extract', body: { transcript: `Ada: hello${' '.repeat(2_000)}` }, price: 3, charge: 1 }],
  ['llm-chat', makeLlmChat, { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'hello there' }], max_tokens: 1_000 }, price: 2.005, charge: 0.015 }],
] as const

describe.each(examples)('fareboxFetch and %s', (_, make, { path, body, price, charge }) => {
  let api: Running
  beforeAll(async () => { api = await start(make, redisStore(inject('redisUrl'), { prefix: crypto.randomUUID() }), price) })
  afterAll(() => api.close())

  const url = () => api.url + path
  const init = (caller: Caller, headers: Record<string, string> = {}): RequestInit =>
    ({ method: 'POST', headers: { 'x-api-key': caller.account, 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  const call = (caller: Caller, options: FareboxOptions = {}, headers?: Record<string, string>) => fareboxFetch(url(), init(caller, headers), options)

  it('says what a call cost', async () => {
    expect(await call(api.caller())).toMatchObject({ kind: 'response', response: { status: 200 }, credits: { ceiling: price, charged: charge }, replayed: false })
  })

  it('waits where only a call in flight stands in the way, as long as Retry-After says, and then makes the call', async () => {
    const caller = api.caller()
    const first = call(caller, {}, { 'x-simulate': 'slow:300, error' })
    await expect.poll(async () => (await caller.balance()).reserved, { interval: 5 }).toBe(price)
    const pauses: number[] = []
    const sleep = async (ms: number) => {
      pauses.push(ms)
      await first
    }
    expect(await call(caller, { sleep })).toMatchObject({ kind: 'response', credits: { charged: charge } })
    expect(pauses).toEqual([expect.any(Number)])
    expect(pauses[0]).toBeGreaterThan(0)
    expect(await caller.charges()).toEqual([charge])
  })

  it('does not wait where credits are missing', async () => {
    const caller = api.caller()
    await call(caller)
    const sleep = () => Promise.reject(new Error('waited'))
    const outcome = await call(caller, { sleep })
    expect(outcome).toMatchObject({ kind: 'refused', refusal: { code: 'PAYMENT_REQUIRED', required: price, reserved: 0 } })
    expect(['top_up', 'reduce']).toContain((outcome as { refusal: { remedy: string } }).refusal.remedy)
  })

  it('gets the answer again that the network lost, for one charge', async () => {
    const caller = api.caller()
    const keys: (string | null)[] = []
    const unsteady: FareboxOptions['fetch'] = async (input, sent) => {
      const response = await fetch(input, sent)
      if (keys.push(new Headers(sent?.headers).get('idempotency-key')) > 1) return response
      await response.text()
      throw new TypeError('fetch failed')
    }
    const outcome = await call(caller, { fetch: unsteady, sleep: async () => {} })
    expect(outcome).toMatchObject({ kind: 'response', response: { status: 200 }, credits: { ceiling: price, charged: charge }, replayed: true })
    expect(keys[0]).toBeTruthy()
    expect(keys).toEqual([keys[0], keys[0]])
    expect(await caller.charges()).toEqual([charge])
  })

  it('waits for a call that is still being made under its key, and gets its answer', async () => {
    const caller = api.caller()
    const key = { 'idempotency-key': 'key-1' }
    const first = call(caller, {}, { ...key, 'x-simulate': 'slow:300' })
    await expect.poll(async () => (await caller.balance()).reserved, { interval: 5 }).toBe(price)
    const second = await call(caller, { sleep: async () => { await first } }, key)
    expect(second).toMatchObject({ kind: 'response', replayed: true })
    expect(await (second as { response: Response }).response.json()).toEqual(await (await first as { response: Response }).response.json())
    expect(await caller.charges()).toEqual([charge])
  })

  it('does not make a call that could cost more than maxCredits, and makes it where it can\'t', async () => {
    const caller = api.caller()
    const targets: string[] = []
    const watched: FareboxOptions['fetch'] = (input, sent) => {
      targets.push(new URL(input instanceof Request ? input.url : input).pathname)
      return fetch(input, sent)
    }
    expect(await call(caller, { maxCredits: price - 0.001, fetch: watched })).toMatchObject({ kind: 'too_expensive', estimate: { estimatedMaxCredits: price }, maxCredits: price - 0.001 })
    expect(targets).toEqual([`${path}/estimate`])
    expect(await caller.charges()).toEqual([])
    expect(await call(caller, { maxCredits: price, fetch: watched })).toMatchObject({ kind: 'response', credits: { charged: charge } })
    expect(targets).toEqual([`${path}/estimate`, `${path}/estimate`, path])
  })

  it('estimates a call without making it', async () => {
    const caller = api.caller()
    expect(await estimate(url(), init(caller))).toMatchObject({ kind: 'estimated', estimate: { estimatedMaxCredits: price, likelySyncOrAsync: 'sync', withinPlanLimits: true } })
    expect(await caller.charges()).toEqual([])
  })
})
