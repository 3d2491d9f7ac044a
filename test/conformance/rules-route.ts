import { describe, expect, it, vi } from 'vitest'
import type { Rig } from './adapter.js'

const fine = () => ({ json: {} })
const terms = { product: 'one', price: 3 }
const listed = { product: 'listed', price: 5 }

export function routeRules(rig: Rig): void {
  describe('routes', () => {
    it('billable(route) gates one route without a price book', async () => {
      const handler = vi.fn(fine)
      const api = await rig.open({ routes: [{ route: 'POST /one', handler, billable: terms }, { route: 'POST /two', handler: fine }], allowance: 5 })
      expect(await api.call('POST /one')).toMatchObject({ status: 200, charged: 3, remaining: 2 })
      expect(await api.call('POST /one')).toMatchObject({ status: 402, charged: 0 })
      expect(handler).toHaveBeenCalledOnce()
      expect(await api.call('POST /two')).toMatchObject({ status: 200, charged: undefined })
      expect((await api.usage()).per_component).toEqual([{ component: 'one', calls: 1, credits: 3 }])
    })

    it('billable(route) stands beside a price book, and before it where both sell a route', async () => {
      const routes = [{ route: 'POST /one', handler: fine, billable: terms }, { route: 'POST /listed', handler: fine }, { route: 'POST /both', handler: fine, billable: terms }]
      const api = await rig.open({ routes, prices: { 'POST /listed': listed, 'POST /both': listed }, allowance: 50 })
      expect((await api.call('POST /one')).charged).toBe(3)
      expect((await api.call('POST /listed')).charged).toBe(5)
      expect((await api.call('POST /both')).charged).toBe(3)
      expect(await api.charges()).toEqual([3, 5, 3])
    })

    it('billable(route) without billing lets nobody in', async () => {
      const handler = vi.fn(fine)
      const api = await rig.open({ routes: [{ route: 'POST /one', handler, billable: terms }], unbilled: true })
      expect((await api.call('POST /one')).status).toBe(500)
      expect(handler).not.toHaveBeenCalled()
    })

    it('unlisted: \'refuse\' lets nothing run that is not in the price book', async () => {
      const handler = vi.fn(fine)
      const routes = [{ route: 'POST /unlisted', handler }, { route: 'POST /listed', handler: fine }, { route: 'GET /free', handler: fine }, { route: 'POST /one', handler: fine, billable: terms }]
      const api = await rig.open({ routes, prices: { 'POST /listed': listed, 'GET /free': 'free' }, unlisted: 'refuse', allowance: 50 })
      expect(await api.call('POST /unlisted')).toMatchObject({ status: 500, json: { error: { code: 'PRICE_INVALID' } } })
      expect(handler).not.toHaveBeenCalled()
      expect(api.errors).toEqual([expect.stringContaining('/unlisted')])
      expect((await api.call('POST /listed')).charged).toBe(5)
      expect((await api.call('POST /one')).charged).toBe(3)
      expect((await api.call('GET /free')).status).toBe(200)
      expect((await api.call('GET /v1/credits/balance')).status).toBe(200)
      expect((await api.call('GET /nowhere')).status).toBe(404)
    })

    it('a path that no route has, and a method that it has not, are not billed', async () => {
      const api = await rig.open({ routes: [{ route: 'POST /listed', handler: fine }], prices: { 'POST /listed': listed } })
      for (const route of ['POST /listed/more', 'GET /listed', 'HEAD /listed', 'DELETE /listed', 'OPTIONS /listed', 'POST /']) {
        const { status, charged } = await api.call(route)
        expect({ route, charged, refused: [401, 402].includes(status) }).toEqual({ route, charged: undefined, refused: false })
      }
    })

    it('start-up report: unmatched keys, routes before billing', async () => {
      const routes = [{ route: 'POST /early', handler: fine, early: true }, { route: 'POST /listed', handler: fine }, { route: 'GET /free', handler: fine }, { route: 'GET /other/:id', handler: fine }, { route: 'POST /one', handler: fine, billable: terms }]
      const prices = { 'POST /early': listed, 'POST /listed': listed, 'GET /free': 'free', 'POST /lsited': listed } as const
      const api = await rig.open({ routes, prices, allowance: 50 })
      await Promise.all(Array.from({ length: 5 }, () => api.call('GET /free')))
      const about = (key: string) => api.warnings.filter((warning) => warning.includes(`"${key}"`))
      expect(about('POST /lsited')).toHaveLength(1)
      expect(about('POST /early')).toHaveLength(1)
      expect(api.warnings).toHaveLength(2)
      expect(api.billing.report()).toEqual({
        priced: [{ route: 'POST /listed', product: 'listed', price: '5 credits' }, { route: 'POST /one', product: 'one', price: '3 credits' }],
        free: ['GET /free'], unlisted: ['GET /other/:id'], unmatched: ['POST /lsited'], before: ['POST /early'], opaque: [],
      })
    })
  })
}
