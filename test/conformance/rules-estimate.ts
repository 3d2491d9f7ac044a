import { describe, expect, it, vi } from 'vitest'
import { priceBook } from '@farebox/core'
import { z } from 'zod'
import type { Handler } from '../support/apps/app.js'
import type { OpenOptions, Rig } from './adapter.js'

const prices = priceBook({
  'POST /generate': {
    product: 'personas', body: z.object({ count: z.int() }), price: ({ body }) => 2 + 3 * body.count,
    providers: ['openai', 'anthropic'], expected: { credits: 4, lowMs: 100, highMs: 900 },
  },
  'GET /reports/:id': { product: 'reports', price: ({ params, query }) => Number(params['id']) + Number(query['extra'] ?? 0) },
  'POST /reports/:id/run': { product: 'runs', price: ({ params }) => Number(params['id']) },
  'POST /research': { product: 'research', price: 50, maxDuration: 90_000, operation: () => 'op' },
  'POST /wrong': { product: 'wrong', price: () => NaN },
  'POST /half': { product: 'half', price: 8, charge: () => 4, expected: { credits: 7, lowMs: 5_000, highMs: 6_000 } },
  'POST /own': { product: 'own', price: 5 },
  'GET /free': 'free',
})

export function estimateRules(rig: Rig): void {
  const open = async (options: Partial<OpenOptions> = {}) => {
    const handler = vi.fn<Handler>(() => ({ json: {} }))
    const routes = [...Object.keys(prices), 'POST /unlisted', 'POST /billable'].map((route) => ({ route, handler, ...(route === 'POST /billable' && { billable: { product: 'single', price: 3 } }) }))
    const api = await rig.open({ routes, prices, allowance: 20, ...options })
    return { api, handler }
  }
  const free = { status: 200, charged: undefined, ceiling: undefined, remaining: undefined }

  describe('estimates', () => {
    it('tells six things; free: no handler runs, nothing is reserved, no account is provisioned', async () => {
      const { api, handler } = await open()
      expect(await api.call('POST /generate/estimate', { body: { count: 2 } })).toMatchObject({ ...free, json: {
        estimatedCredits: 4, estimatedMaxCredits: 8, likelySyncOrAsync: 'sync', expectedLatencyRange: { lowMs: 100, highMs: 900 },
        providersLikelyUsed: ['openai', 'anthropic'], withinPlanLimits: true,
      } })
      expect(handler).not.toHaveBeenCalled()
      expect(await api.entries()).toEqual([])
      expect(api.store.calls.size).toBe(0)
      expect(await api.standing()).toEqual({ balance: 0, reserved: 0, available: 0 })
    })

    it('has these members and no others', async () => {
      const { api } = await open()
      const { json } = await api.call('POST /generate/estimate', { body: { count: 2 } })
      expect(Object.keys(json!).sort()).toEqual(['estimatedCredits', 'estimatedMaxCredits', 'expectedLatencyRange', 'likelySyncOrAsync', 'providersLikelyUsed', 'withinPlanLimits'])
    })

    it('a route that declares nothing: its price, until its maxDuration, nobody', async () => {
      const { api } = await open({ allowance: 60 })
      expect((await api.call('POST /research/estimate')).json).toEqual({
        estimatedCredits: 50, estimatedMaxCredits: 50, likelySyncOrAsync: 'async', expectedLatencyRange: { lowMs: 0, highMs: 90_000 }, providersLikelyUsed: [], withinPlanLimits: true,
      })
    })

    it('what is declared is never above the price', async () => {
      const { api } = await open()
      expect((await api.call('POST /generate/estimate', { body: { count: 0 } })).json).toMatchObject({ estimatedCredits: 2, estimatedMaxCredits: 2 })
    })

    it('refuses what the call itself would be refused for: 401, 422, 500', async () => {
      const { api } = await open()
      expect(await api.call('POST /generate/estimate', { account: null, body: { count: 2 } })).toMatchObject({ status: 401, json: { error: { code: 'UNAUTHENTICATED' } } })
      expect(await api.call('POST /generate/estimate', { body: { count: 'x' } })).toMatchObject({ status: 422, json: { error: { code: 'INVALID_REQUEST', details: { issues: [{ field: 'count' }] } } } })
      expect(await api.call('POST /wrong/estimate')).toMatchObject({ status: 500, json: { error: { code: 'PRICE_INVALID' } } })
      api.store.fault = 'fails'
      expect(await api.call('POST /generate/estimate', { body: { count: 2 } })).toMatchObject({ status: 503, json: { error: { code: 'BILLING_UNAVAILABLE' } } })
    })

    it('withinPlanLimits: whether the call would be let in, by its account\'s credits and by the most a call may cost', async () => {
      const { api } = await open({ maxCeiling: 17 })
      const within = async (count: number) => (await api.call('POST /generate/estimate', { body: { count } })).json!['withinPlanLimits']
      // The allowance of 20 is still to come.
      expect([await within(5), await within(6)]).toEqual([true, false])
      expect((await api.call('POST /generate', { body: { count: 6 } })).status).toBe(403)
      expect((await api.call('POST /generate', { body: { count: 2 } })).remaining).toBe(12)
      expect([await within(3), await within(4)]).toEqual([true, false])
      expect((await api.call('POST /generate', { body: { count: 4 } })).status).toBe(402)
    })

    it('a path\'s parameters are the route\'s', async () => {
      const { api } = await open()
      expect((await api.call('POST /reports/7/run/estimate')).json).toMatchObject({ estimatedMaxCredits: 7 })
    })

    it('of a GET route too, with its query', async () => {
      const { api } = await open()
      expect((await api.call('POST /reports/7/estimate?extra=0.5')).json).toMatchObject({ estimatedMaxCredits: 7.5 })
    })

    it('of a route that billable() sells', async () => {
      const { api, handler } = await open()
      expect((await api.call('POST /billable/estimate')).json).toMatchObject({ estimatedMaxCredits: 3 })
      expect(handler).not.toHaveBeenCalled()
    })

    it.each(['POST /free/estimate', 'POST /unlisted/estimate', 'POST /nowhere/estimate', 'GET /generate/estimate', 'POST /estimate'])('there is none where nothing is sold: %s', async (route) => {
      const { api } = await open()
      expect((await api.call(route)).status).toBe(404)
    })

    it('the app\'s own route of that path wins, sold or not', async () => {
      const handler = () => ({ json: { own: true } })
      const own = ['POST /own', 'POST /own/estimate', 'POST /generate', 'POST /generate/estimate'].map((route) => ({ route, handler }))
      const { api } = await open({ routes: own, prices: { ...prices, 'POST /own/estimate': { product: 'own estimates', price: 2 } } })
      expect((await api.call('POST /generate/estimate', { body: { count: 2 } })).json).toEqual({ own: true })
      expect(await api.call('POST /own/estimate')).toMatchObject({ status: 200, charged: 2, json: { own: true } })
    })

    it('can be renamed or turned off', async () => {
      const renamed = await open({ endpoints: { estimate: '/quote' } })
      expect((await renamed.api.call('POST /generate/quote', { body: { count: 2 } })).json).toMatchObject({ estimatedMaxCredits: 8 })
      expect((await renamed.api.call('POST /generate/estimate', { body: { count: 2 } })).status).toBe(404)
      const off = await open({ endpoints: { estimate: false } })
      expect((await off.api.call('POST /generate/estimate', { body: { count: 2 } })).status).toBe(404)
    })

    it('refusals are problem+json where Accept asks', async () => {
      const { api } = await open()
      const reply = await api.call('POST /wrong/estimate', { headers: { accept: 'application/problem+json' } })
      expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
    })

    it('after 20 calls it is what those cost and took, in every process', async () => {
      const { api } = await open({ allowance: 1_000 })
      const estimate = async () => (await api.call('POST /half/estimate')).json as { estimatedCredits: number; expectedLatencyRange: { lowMs: number; highMs: number } }
      for (let i = 0; i < 19; i++) await api.call('POST /half')
      expect(await estimate()).toMatchObject({ estimatedCredits: 7, expectedLatencyRange: { lowMs: 5_000, highMs: 6_000 } })
      await api.call('POST /half')
      await vi.waitFor(async () => expect(await estimate()).toMatchObject({ estimatedCredits: 4, estimatedMaxCredits: 8 }))
      const { lowMs, highMs } = (await estimate()).expectedLatencyRange
      expect(lowMs).toBeLessThanOrEqual(highMs)
      expect(highMs).toBeLessThan(5_000)
      const other = await rig.open({ routes: [{ route: 'POST /half', handler: () => ({ json: {} }) }], prices: { 'POST /half': prices['POST /half'] }, beside: api })
      expect((await other.call('POST /half/estimate')).json).toMatchObject({ estimatedCredits: 4 })
    })
  })
}
