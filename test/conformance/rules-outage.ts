import { spoolDirectory } from '@farebox/core/spool'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api, Reply } from './adapter-api.js'
import { startOwnRedis } from './adapter-redis.js'

const prices = { 'POST /run': { product: 'runs', price: 5, metering: true }, 'GET /free': 'free' } as const
const refused = { status: 503, charged: 0, json: { error: { code: 'BILLING_UNAVAILABLE', message: 'credits cannot be checked at the moment', details: {} } } }
const pending = { status: 200, charged: 5, ceiling: 5, remaining: undefined, json: { metering: { creditsCharged: 5, estimatedMaxCredits: 5, pending: true } } }

export function outageRules(rig: Rig): void {
  /** An app whose handler does `during` while its call runs. */
  async function open(during: (api: Api) => void, options: Partial<OpenOptions> = {}) {
    const handler = vi.fn(() => {
      during(api)
      return { json: {} }
    })
    const routes = [{ route: 'POST /run', handler }, { route: 'GET /free', handler: () => ({ json: {} }) }, { route: 'POST /unlisted', handler: () => ({ json: {} }) }]
    const api: Api = await rig.open({ routes, prices, allowance: 50, storeTimeout: 100, ...options })
    return { api, handler }
  }

  async function expectNobodyIn(api: Api, handler: () => unknown): Promise<void> {
    const reply = await api.call('POST /run')
    expect(reply).toMatchObject(refused)
    expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    for (const route of ['GET /v1/credits/balance', 'POST /v1/credits/projections/usage-summary']) expect(await api.call(route)).toMatchObject(refused)
    expect(handler).not.toHaveBeenCalled()
    for (const route of ['GET /free', 'POST /unlisted']) expect((await api.call(route)).status).toBe(200)
  }

  async function expectPosted(api: Api, reply: Reply): Promise<void> {
    expect(reply).toMatchObject(pending)
    await vi.waitFor(async () => expect(await api.charges()).toEqual([5]), { timeout: 5_000 })
    expect(await api.standing()).toEqual({ balance: 45, reserved: 0, available: 45 })
  }

  describe('outages', () => {
    it.each(['fails', 'hangs'] as const)('503 with Retry-After when the store %s; free routes keep working', async (fault) => {
      const { api, handler } = await open(() => {})
      api.store.fault = fault
      await expectNobodyIn(api, handler)
      expect(api.errors.length).toBeGreaterThan(0)
      api.store.fault = undefined
      expect((await api.call('POST /run')).charged).toBe(5)
    })

    it.each(['fails', 'hangs'] as const)('a settle that can\'t reach the store is pending, and posted when the store is back: it %s', async (fault) => {
      const { api } = await open(({ store }) => { store.fault = fault })
      const reply = await api.call('POST /run')
      expect(await api.charges()).toEqual([])
      expect(await api.standing()).toEqual({ balance: 50, reserved: 5, available: 45 })
      api.store.fault = undefined
      await expectPosted(api, reply)
    })

    it('close() drains what is pending', async () => {
      const { api } = await open(({ store }) => { store.fault = 'fails' })
      expect(await api.call('POST /run')).toMatchObject(pending)
      api.store.fault = undefined
      await api.billing.close()
      expect(await api.charges()).toEqual([5])
      expect(api.store.closed).toBe(true)
    })

    it('a failed call whose release can\'t reach the store costs zero all the same', async () => {
      const handler = () => {
        api.store.fault = 'fails'
        return { status: 500, json: {} }
      }
      const api: Api = await rig.open({ routes: [{ route: 'POST /run', handler }], prices, allowance: 50 })
      expect(await api.call('POST /run')).toMatchObject({ status: 500, charged: 0, json: { metering: { creditsCharged: 0, pending: true } } })
      api.store.fault = undefined
      await vi.waitFor(async () => expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 }), { timeout: 5_000 })
    })

    it('what could not be posted before the app was closed is posted, once, by the next one on the same spool', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'farebox-'))
      onTestFinished(() => rm(directory, { recursive: true, force: true }))
      const { api } = await open(({ store }) => { store.fault = 'fails' }, { spool: spoolDirectory(directory) })
      for (let i = 0; i < 3; i++) {
        api.store.fault = undefined
        expect(await api.call('POST /run')).toMatchObject(pending)
      }
      await api.billing.close()
      expect(api.errors.filter((error) => error.includes('given up'))).toEqual([])
      const next = await open(() => {}, { beside: api, spool: spoolDirectory(directory) })
      await vi.waitFor(async () => expect(await next.api.charges()).toEqual([5, 5, 5]), { timeout: 5_000 })
      await vi.waitFor(async () => expect(await readdir(directory)).toEqual([]), { timeout: 5_000 })
      await next.api.billing.close()
    })

    it('a spool that can\'t be written is logged, and billing goes on as without', async () => {
      const { api } = await open(({ store }) => { store.fault = 'fails' }, { spool: spoolDirectory('/dev/null/spool') })
      const reply = await api.call('POST /run')
      expect(api.errors.filter((error) => error.includes('spool')).length).toBeGreaterThan(0)
      api.store.fault = undefined
      await expectPosted(api, reply)
    })

    it('a reserve that comes too late holds nothing', async () => {
      const { api, handler } = await open(() => {})
      const { reached, release } = api.store.hold('reserve')
      const call = api.call('POST /run')
      await reached
      expect(await call).toMatchObject(refused)
      release()
      await vi.waitFor(async () => expect((await api.standing()).reserved).toBe(0))
      expect(handler).not.toHaveBeenCalled()
    })
  })

  describe('onStoreError: { allow }', () => {
    const statuses = (replies: readonly Reply[]) => replies.map(({ status }) => status).sort()
    const together = (api: Api) => Promise.all(Array.from({ length: 12 }, () => api.call('POST /run')))

    it.each(['fails', 'hangs'] as const)('never more than allowed run unposted while the store %s; they are charged when it is back, and then as many may again', async (fault) => {
      const { api, handler } = await open(() => {}, { onStoreError: { allow: 24 }, allowance: 100 })
      expect((await api.call('POST /run')).charged).toBe(5)
      for (const posted of [1, 5, 9]) {
        api.store.fault = fault
        const replies = [...await together(api), ...await together(api)]
        expect(statuses(replies)).toEqual([...Array(4).fill(200), ...Array(20).fill(503)])
        for (const reply of replies) expect(reply).toMatchObject(reply.status === 200 ? pending : refused)
        expect(await api.charges()).toHaveLength(posted)
        api.store.fault = undefined
        await vi.waitFor(async () => expect(await api.charges()).toEqual(Array(posted + 4).fill(5)), { timeout: 10_000 })
      }
      expect(handler).toHaveBeenCalledTimes(13)
      expect(await api.standing()).toEqual({ balance: 35, reserved: 0, available: 35 })
    })

    it('what its account does not have is a shortfall', async () => {
      const onShortfall = vi.fn()
      const { api } = await open(() => {}, { onStoreError: { allow: 100 }, allowance: 12, on: { shortfall: onShortfall } })
      expect((await api.call('POST /run')).charged).toBe(5)
      api.store.fault = 'fails'
      expect(statuses(await Promise.all([api.call('POST /run'), api.call('POST /run', { account: 'bob' })]))).toEqual([200, 200])
      expect(await api.call('POST /run')).toMatchObject(pending)
      api.store.fault = undefined
      await vi.waitFor(() => expect(onShortfall).toHaveBeenCalledTimes(2), { timeout: 5_000 })
      expect(await api.standing()).toEqual({ balance: 0, reserved: 0, available: 0 })
      expect(onShortfall.mock.calls.map(([{ account, shortfall }]) => `${account} ${shortfall}`).sort()).toEqual(['ada 3', 'bob 5'])
      api.loseLedger()
    })

    it('a call with an Idempotency-Key does not run: nobody can tell whether it was made before', async () => {
      const { api, handler } = await open(() => {}, { onStoreError: { allow: 100 } })
      api.store.fault = 'fails'
      expect(await api.call('POST /run', { headers: { 'idempotency-key': 'k' } })).toMatchObject(refused)
      expect(handler).not.toHaveBeenCalled()
    })

    it('a failed call costs nothing, and its share is free again', async () => {
      const handler = () => ({ status: 500, json: {} })
      const api = await rig.open({ routes: [{ route: 'POST /run', handler }], prices, allowance: 50, storeTimeout: 100, onStoreError: { allow: 5 } })
      const callInOutage = async () => {
        api.store.fault = 'fails'
        const { status } = await api.call('POST /run')
        api.store.fault = undefined
        return status
      }
      expect(await callInOutage()).toBe(500)
      await vi.waitFor(async () => expect(await callInOutage()).toBe(500), { timeout: 10_000, interval: 500 })
      expect(await api.charges()).toEqual([])
    })

    it('a reserve that arrives after all is what the call is settled with', async () => {
      const onLate = vi.fn()
      const { api } = await open(() => held.release(), { onStoreError: { allow: 5 }, on: { late: onLate } })
      const held = api.store.hold('reserve')
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5, remaining: 45 })
      expect(await api.standing()).toEqual({ balance: 45, reserved: 0, available: 45 })
      expect(onLate).not.toHaveBeenCalled()
    })
  })

  if (rig.kind === 'redis') {
    describe('a Redis that goes away', () => {
      it('killed: 503, and free routes keep working', async () => {
        const redis = await startOwnRedis()
        const { api, handler } = await open(() => {}, { redisUrl: redis.url, storeTimeout: 200 })
        expect((await api.call('GET /v1/credits/balance')).status).toBe(200)
        await redis.kill()
        api.loseLedger()
        await expectNobodyIn(api, handler)
      })

      it('paused: 503, and free routes keep working; when it is back so are the credits', async () => {
        const redis = await startOwnRedis()
        const { api, handler } = await open(() => {}, { redisUrl: redis.url, storeTimeout: 200 })
        expect((await api.call('GET /v1/credits/balance')).status).toBe(200)
        redis.pause()
        await expectNobodyIn(api, handler)
        redis.resume()
        await vi.waitFor(async () => expect(await api.standing()).toMatchObject({ reserved: 0 }))
        expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5, remaining: 45 })
      })

      it('paused in mid-call: the caller gets the response, the charge is posted once when it is back', async () => {
        const redis = await startOwnRedis()
        const { api } = await open(() => redis.pause(), { redisUrl: redis.url, storeTimeout: 200 })
        const reply = await api.call('POST /run')
        redis.resume()
        await expectPosted(api, reply)
      })
    })
  }
}
