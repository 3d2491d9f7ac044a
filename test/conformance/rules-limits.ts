import { describe, expect, it, vi } from 'vitest'
import { priceBook } from '@farebox/core'
import type { OpenOptions, Rig } from './adapter.js'

const prices = priceBook({
  'POST /run': { product: 'runs', price: 5 },
  'POST /small': { product: 'small', price: 1 },
  'GET /free': 'free',
})

export function limitRules(rig: Rig): void {
  const open = async (options: Partial<OpenOptions>) => {
    const handler = vi.fn(() => ({ json: { ok: true } }))
    const api = await rig.open({ routes: [...Object.keys(prices), 'GET /unlisted'].map((route) => ({ route, handler })), prices, allowance: 100, ...options })
    return { api, handler }
  }
  const error = (code: string) => ({ charged: 0, json: { error: { code } } })

  describe('limits of the plan', () => {
    it('are asked of the framework\'s own request', async () => {
      const { api, handler } = await open({ maxCeiling: (req) => Number(req.header('x-most')), maxPerDay: async (req) => Number(req.header('x-day')) })
      const call = (most: string, day: string) => api.call('POST /run', { headers: { 'x-most': most, 'x-day': day } })
      expect(await call('4.999999', '10')).toMatchObject({ status: 403, ...error('CEILING_TOO_HIGH') })
      expect(await call('5', '4.999999')).toMatchObject({ status: 402, ...error('PAYMENT_REQUIRED') })
      expect(handler).not.toHaveBeenCalled()
      expect(await call('5', '5')).toMatchObject({ status: 200, charged: 5 })
      expect(await call('5', '9')).toMatchObject({ status: 402, json: { error: { details: { remedy: 'raise_limit', budget: { scope: 'account', window: 'day', limit: 9, spent: 5, held: 0 } } } } })
    })

    it('where there is none, anything goes', async () => {
      const { api } = await open({ maxCeiling: () => undefined, maxPerDay: () => undefined, budgets: () => [] })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5 })
    })

    it('the most a day is over all routes and calls, a day of UTC, an account\'s own', async () => {
      let now = Date.UTC(2026, 2, 3, 23, 59, 59, 999)
      const { api } = await open({ maxPerDay: 6, now: () => now })
      expect((await api.call('POST /run')).status).toBe(200)
      expect((await api.call('POST /run')).status).toBe(402)
      expect((await api.call('POST /small')).status).toBe(200)
      expect((await api.call('POST /small')).status).toBe(402)
      expect((await api.call('POST /run', { account: 'bob' })).status).toBe(200)
      now += 1
      expect((await api.call('POST /run')).status).toBe(200)
      expect(await api.charges()).toEqual([5, 1, 5])
    })

    it('30 calls at once are charged no more a day', async () => {
      const { api } = await open({ maxPerDay: 22 })
      const replies = await Promise.all(Array.from({ length: 30 }, () => api.call('POST /run')))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(4)
    })

    it.each<[string, object]>([
      ['a limit that is no amount', { maxPerDay: () => NaN }], ['a limit that throws', { maxCeiling: () => { throw new Error('no') } }],
      ['budgets that are no list', { budgets: () => undefined }], ['budgets that reject', { budgets: () => Promise.reject(new Error('no')) }],
      ['a budget without a window', { budgets: () => [{ scope: 'a', limit: 1 }] }],
    ])('%s: 500, logged, nothing runs and nothing is held', async (_, options) => {
      const { api, handler } = await open(options)
      expect(await api.call('POST /run')).toMatchObject({ status: 500, ...error('PRICE_INVALID') })
      expect(handler).not.toHaveBeenCalled()
      expect(api.errors).toEqual([expect.stringContaining('POST /run has no valid price: ')])
      expect(await api.entries()).toEqual([])
    })

    it('nobody is asked for what is free', async () => {
      const asked = vi.fn(() => { throw new Error('no') })
      const { api } = await open({ maxCeiling: asked, maxPerDay: asked, budgets: asked })
      for (const route of ['GET /free', 'GET /unlisted', 'GET /v1/credits/balance']) expect((await api.call(route)).status).toBe(200)
      expect(asked).not.toHaveBeenCalled()
    })
  })
}
