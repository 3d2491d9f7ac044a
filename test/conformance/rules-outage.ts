import { describe, expect, it, vi } from 'vitest'
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
