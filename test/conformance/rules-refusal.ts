import { describe, expect, it, vi } from 'vitest'
import { priceBook } from '@farebox/core'
import { z } from 'zod'
import { latch } from '../support/apps/latch.js'
import type { Rig } from './adapter.js'

const Input = z.object({ domains: z.array(z.string().min(3)).max(3) })
const prices = priceBook({
  'POST /run': { product: 'runs', price: 5 },
  'POST /search': { product: 'search', body: Input, price: ({ body }) => body.domains.length },
})
const wrongPrices: Readonly<Record<string, () => number>> = {
  'NaN': () => NaN,
  'negative': () => -0.5,
  'infinite': () => Infinity,
  'too large': () => 1e10,
  'no number': () => '5' as unknown as number,
  'a promise': () => Promise.resolve(5) as unknown as number,
  'thrown': () => { throw new Error('no price') },
}

export function refusalRules(rig: Rig): void {
  /** An app whose handlers may not run. */
  async function open(options: Omit<Parameters<Rig['open']>[0], 'routes'>) {
    const handler = vi.fn(() => ({ json: {} }))
    const api = await rig.open({ prices, ...options, routes: [{ route: 'POST /run', handler }, { route: 'POST /search', handler }] })
    return { api, handler }
  }

  describe('refusals', () => {
    it('402 body is byte for byte the envelope\'s required part', async () => {
      const { api, handler } = await open({ allowance: 4.5 })
      const reply = await api.call('POST /run')
      expect(reply.status).toBe(402)
      expect(reply.text).toBe('{"error":{"code":"PAYMENT_REQUIRED","message":"insufficient credits","details":{"required":5,"available":4.5,"reserved":0,"remedy":"top_up"}}}')
      expect(reply.headers.get('content-type')).toMatch(/^application\/json\b/)
      expect(reply.headers.get('content-length')).toBe(String(reply.text.length))
      expect(reply).toMatchObject({ charged: 0, ceiling: 5, remaining: 4.5 })
      expect(handler).not.toHaveBeenCalled()
    })

    it('402 tells what calls in flight have reserved', async () => {
      const [reached, finish] = [latch(), latch()]
      const slow = async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      }
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: slow }], prices: { 'POST /run': { product: 'runs', price: 5 } }, allowance: 9 })
      const running = api.call('POST /run')
      await reached.opened
      expect((await api.call('POST /run')).json).toMatchObject({ error: { details: { required: 5, available: 4, reserved: 5 } } })
      finish.open()
      expect((await running).charged).toBe(5)
    })

    it('problem+json where Accept asks', async () => {
      const { api } = await open({})
      const reply = await api.call('POST /run', { headers: { accept: 'application/problem+json' } })
      expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json\b/)
      expect(reply.json).toEqual({ type: 'about:blank', title: 'insufficient credits', status: 402, code: 'PAYMENT_REQUIRED', required: 5, available: 0, reserved: 0, remedy: 'top_up' })
    })

    it.each([null, ''])('401 without an account: %j', async (account) => {
      const { api, handler } = await open({ allowance: 9 })
      for (const route of ['POST /run', 'POST /search', 'GET /v1/credits/balance', 'POST /v1/credits/projections/usage-summary']) {
        expect(await api.call(route, { account, body: route.startsWith('POST') ? { domains: [] } : undefined })).toMatchObject({ status: 401, charged: 0, json: { error: { code: 'UNAUTHENTICATED' } } })
      }
      expect(handler).not.toHaveBeenCalled()
    })

    it('422 for a body that fails the schema, with the field that does', async () => {
      const { api, handler } = await open({ allowance: 9 })
      const reply = await api.call('POST /search', { body: { domains: ['a.example', 'b'] } })
      expect(reply).toMatchObject({ status: 422, charged: 0, json: { error: { code: 'INVALID_REQUEST', details: { issues: [{ field: 'domains.1' }] } } } })
      expect((reply.json as { error: { message: string } }).error.message).toContain('domains.1')
      expect((await api.call('POST /search')).status).toBe(422)
      expect(handler).not.toHaveBeenCalled()
      expect(await api.entries()).toEqual([])
    })

    it('a body of another content type is never free', async () => {
      const { api, handler } = await open({ allowance: 9 })
      const reply = await api.call('POST /search', { body: '{"domains":["a.example"]}', headers: { 'content-type': 'text/plain' } })
      expect(reply.status === 422 ? handler.mock.calls : reply.charged).toEqual(reply.status === 422 ? [] : 1)
    })

    it.each(Object.keys(wrongPrices))('500 PRICE_INVALID for a price that is %s', async (wrong) => {
      const { api, handler } = await open({ prices: { 'POST /run': { product: 'runs', price: wrongPrices[wrong]! } }, allowance: 9 })
      expect(await api.call('POST /run')).toMatchObject({ status: 500, charged: 0, json: { error: { code: 'PRICE_INVALID', details: { route: 'POST /run' } } } })
      expect(handler).not.toHaveBeenCalled()
      expect(api.errors).toEqual([expect.stringContaining('POST /run')])
      expect(await api.entries()).toEqual([])
    })

    it('403 over maxCeiling', async () => {
      const { api, handler } = await open({ maxCeiling: 4.9, allowance: 9 })
      expect(await api.call('POST /run')).toMatchObject({ status: 403, charged: 0, json: { error: { code: 'CEILING_TOO_HIGH', details: { required: 5, maxCeiling: 4.9 } } } })
      expect(handler).not.toHaveBeenCalled()
      expect((await api.call('POST /search', { body: { domains: ['a.example'] } })).status).toBe(200)
    })
  })
}
