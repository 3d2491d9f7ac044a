import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { serveWorker } from '@farebox/example-edge'
import { afterAll, beforeAll, expect, it } from 'vitest'

let worker: Awaited<ReturnType<typeof serveWorker>>
let url: string
let accounts = 0
beforeAll(async () => {
  worker = await serveWorker(fileURLToPath(new URL('./hono-edge-worker.ts', import.meta.url)), 0, {})
  url = `http://localhost:${await worker.listening}`
}, 30_000)
afterAll(async () => {
  worker.workerd.kill('SIGTERM')
  await once(worker.workerd, 'exit')
})

/** A caller with an account of its own. */
function caller() {
  const key = `account-${accounts++}`
  const call = (method: string, path: string, init: RequestInit = {}) => fetch(url + path, { ...init, method, headers: { 'x-api-key': key, ...init.headers } })
  return { call, balance: async () => (await call('GET', '/v1/credits/balance')).json() as Promise<{ balance: number, reserved: number }> }
}

const standing = (balance: number) => ({ balance, reserved: 0, available: balance })

it('a call whose client leaves before it is answered is finished, and charged', async () => {
  const { call, balance } = caller()
  const gone = new AbortController()
  const answer = call('POST', '/slow?ms=600', { signal: gone.signal })
  await expect.poll(balance).toMatchObject({ reserved: 5 })
  gone.abort()
  await expect(answer).rejects.toThrow('aborted')
  await expect.poll(balance, { timeout: 5_000 }).toEqual(standing(98))
})

it.each([['metered', 98], ['ceiling', 95], ['release', 100]] as const)('a stream whose client leaves ends by its policy: %s', async (policy, left) => {
  const { call, balance } = caller()
  const gone = new AbortController()
  const reader = (await call('GET', `/${policy}`, { signal: gone.signal })).body!.getReader()
  await reader.read()
  expect(await balance()).toMatchObject({ reserved: 5 })
  gone.abort()
  await expect.poll(balance, { timeout: 5_000 }).toEqual(standing(left))
})

it('a stream that breaks costs nothing', async () => {
  const { call, balance } = caller()
  await expect(call('GET', '/broken').then((response) => response.text())).rejects.toThrow('terminated')
  await expect.poll(balance).toEqual(standing(100))
})

it.each([0, 100])('events end with what they cost, when they take %i ms', async (ms) => {
  const { call, balance } = caller()
  const response = await call('GET', `/events?ms=${ms}`, { headers: { te: 'trailers' } })
  expect(response.headers.get('trailer')).toBeNull()
  expect(await response.text()).toBe('data: one\n\ndata: two\n\n\n\nevent: metering\ndata: {"creditsCharged":2,"estimatedMaxCredits":5}\n\n')
  await expect.poll(balance).toEqual(standing(98))
})

it('answers estimates, and the same key again with the same bytes', async () => {
  const { call, balance } = caller()
  expect(await (await call('POST', '/bytes/3/estimate')).json()).toMatchObject({ estimatedMaxCredits: 3 })
  for (const replayed of [null, 'true']) {
    const response = await call('POST', '/bytes/3', { headers: { 'idempotency-key': 'k' } })
    expect([response.headers.get('idempotent-replayed'), response.headers.get('credits-charged')]).toEqual([replayed, '2'])
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.from({ length: 256 }, (_, i) => i))
  }
  expect(await balance()).toEqual(standing(98))
})
