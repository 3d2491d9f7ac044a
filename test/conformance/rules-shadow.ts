import { describe, expect, it, vi } from 'vitest'
import { priceBook } from '@farebox/core'
import { z } from 'zod'
import type { OpenOptions, Rig } from './adapter.js'
import { keyed } from './rules-idempotency.js'

const prices = priceBook({
  'POST /run': { product: 'runs', price: 5, metering: true },
  'POST /dear': { product: 'dear', price: 500 },
  'POST /sized': { product: 'sized', body: z.object({ count: z.int() }), price: ({ body }) => body.count },
  'POST /wrong': { product: 'wrong', price: () => NaN },
})

export function shadowRules(rig: Rig): void {
  const open = async (options: Partial<OpenOptions> = {}) => {
    const handler = vi.fn(() => ({ json: { ok: true } }))
    const refused = vi.fn()
    const routes = [...Object.keys(prices), 'POST /unlisted'].map((route) => ({ route, handler }))
    const api = await rig.open({ routes, prices, enforce: false, maxCeiling: 100, allowance: 7, on: { refused }, ...options })
    return { api, handler, refused }
  }
  const asWithoutBilling = { status: 200, text: '{"ok":true}', charged: undefined, ceiling: undefined, remaining: undefined }

  describe('enforce: false', () => {
    it('a call that can be paid is priced, reserved and charged as always', async () => {
      const { api } = await open()
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5, ceiling: 5, remaining: 2, json: { ok: true, metering: { creditsCharged: 5, estimatedMaxCredits: 5 } } })
      expect(await api.charges()).toEqual([5])
      expect(api.billing.refusals()).toEqual({})
    })

    it.each([
      ['PAYMENT_REQUIRED', 'POST /run', {}], ['CEILING_TOO_HIGH', 'POST /dear', {}], ['INVALID_REQUEST', 'POST /sized', { body: { count: 'x' } }],
      ['PRICE_INVALID', 'POST /wrong', {}], ['UNAUTHENTICATED', 'POST /run', { account: null }],
    ] as const)('what would be refused runs, costs nothing and is counted: %s', async (code, route, options) => {
      const { api, handler, refused } = await open({ allowance: 0 })
      for (let i = 1; i <= 2; i++) {
        expect(await api.call(route, options)).toMatchObject(asWithoutBilling)
        expect(api.billing.refusals()).toEqual({ [code]: i })
        expect(refused).toHaveBeenLastCalledWith({ route, code, enforced: false })
      }
      expect(handler).toHaveBeenCalledTimes(2)
      expect(await api.charges()).toEqual([])
    })

    it('a store that does not answer stops nobody', async () => {
      const { api } = await open()
      api.store.fault = 'fails'
      expect(await api.call('POST /run')).toMatchObject(asWithoutBilling)
      expect(api.billing.refusals()).toEqual({ BILLING_UNAVAILABLE: 1 })
    })

    it('unlisted: \'refuse\' refuses nobody', async () => {
      const { api } = await open({ unlisted: 'refuse' })
      expect(await api.call('POST /unlisted')).toMatchObject(asWithoutBilling)
      expect(api.billing.refusals()).toEqual({ PRICE_INVALID: 1 })
    })

    it('a key is held against nobody', async () => {
      const { api, handler } = await open({ allowance: 50 })
      for (const body of [{}, {}, { other: 1 }]) expect(await api.call('POST /run', keyed('k', { body }))).toMatchObject({ status: 200, charged: 5, replayed: false })
      expect(handler).toHaveBeenCalledTimes(3)
    })

    it('refusals() counts what is refused as well', async () => {
      const { api, refused } = await open({ enforce: true, allowance: 0 })
      expect((await api.call('POST /run')).status).toBe(402)
      expect((await api.call('POST /run', { account: null })).status).toBe(401)
      expect(api.billing.refusals()).toEqual({ PAYMENT_REQUIRED: 1, UNAUTHENTICATED: 1 })
      expect(refused).toHaveBeenLastCalledWith({ route: 'POST /run', code: 'UNAUTHENTICATED', enforced: true })
    })
  })
}
