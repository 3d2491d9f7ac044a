import { describe, expect, it, vi } from 'vitest'
import { metered, priceBook } from '@farebox/core'
import { z } from 'zod'
import type { HandlerAnswer, HandlerRequest } from '../support/apps/app.js'
import type { Rig } from './adapter.js'

const Input = z.object({ count: z.int(), note: z.string().default('none') })
const answers = (answer: HandlerAnswer) => vi.fn((_request: HandlerRequest) => answer)
const fails: Readonly<Record<string, () => HandlerAnswer | Promise<HandlerAnswer>>> = {
  'status 400': () => ({ status: 400, json: { error: 'no' } }),
  'status 404 with text': () => ({ status: 404, text: 'no' }),
  'status 500': () => ({ status: 500, json: {} }),
  'a throw': () => { throw new Error('thrown by the handler') },
  'a rejected promise': () => Promise.reject(new Error('rejected by the handler')),
}

export function priceRules(rig: Rig): void {
  describe('price and charge', () => {
    it('priced before the handler runs', async () => {
      const handler = answers({ json: {} })
      const api = await rig.open({ routes: [{ route: 'POST /run', handler }], prices: { 'POST /run': { product: 'runs', price: 5 } }, allowance: 4.999999 })
      expect((await api.call('POST /run')).status).toBe(402)
      expect(handler).not.toHaveBeenCalled()
      await api.grant(0.000001)
      expect((await api.call('POST /run')).status).toBe(200)
      expect(handler).toHaveBeenCalledOnce()
    })

    it('from the body as its schema returns it, parameters, query, headers and the account', async () => {
      const price = vi.fn(() => 1)
      const api = await rig.open({ routes: [{ route: 'POST /run/:id', handler: answers({ json: {} }) }], prices: { 'POST /run/:id': { product: 'runs', body: Input, price } }, allowance: 5 })
      await api.call('POST /run/a%20b?x=1&y=2&y=3', { body: { count: 3 }, headers: { 'x-plan': 'gold' } })
      expect(price).toHaveBeenCalledWith(expect.objectContaining({ body: { count: 3, note: 'none' }, params: { id: 'a b' }, account: 'ada' }))
      const [context] = price.mock.calls[0] as unknown as [{ query: object; header(name: string): string }]
      expect({ ...context.query }).toEqual({ x: '1', y: ['2', '3'] })
      expect(context.header('X-Plan')).toBe('gold')
    })

    it('the handler gets the body as it came', async () => {
      const handler = answers({ json: {} })
      const prices = priceBook({ 'POST /run': { product: 'runs', body: Input, price: ({ body }) => body.count } })
      const api = await rig.open({ routes: [{ route: 'POST /run', handler }], prices, allowance: 5 })
      expect(await api.call('POST /run', { body: { count: 2, more: [1] } })).toMatchObject({ status: 200, charged: 2 })
      expect(handler.mock.calls[0]![0].body).toEqual({ count: 2, more: [1] })
    })

    it('a charge below the price leaves the rest', async () => {
      const response = z.object({ found: z.array(z.string()) })
      const prices = priceBook({
        'POST /search': { product: 'search', metering: true, ...metered({
          body: Input, response, rates: { hit: 0.5 },
          ceiling: ({ body }) => ({ hit: body.count }), used: ({ response }) => ({ hit: response.body.found.length }),
        }) },
      })
      const api = await rig.open({ routes: [{ route: 'POST /search', handler: answers({ json: { found: ['a', 'b', 'c'] } }) }], prices, allowance: 5 })
      const reply = await api.call('POST /search', { body: { count: 10 } })
      expect(reply).toMatchObject({ charged: 1.5, ceiling: 5, remaining: 3.5, json: { found: ['a', 'b', 'c'], metering: { creditsCharged: 1.5, estimatedMaxCredits: 5 } } })
    })

    it('charge ≤ price', async () => {
      const prices = { 'POST /run': { product: 'runs', price: 2, charge: () => 2.000001 } }
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: answers({ json: {} }) }], prices, allowance: 5 })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 2, ceiling: 2, remaining: 3 })
      expect(api.warnings).toEqual([expect.stringMatching(/POST \/run.*2\.000001.*clamped to its price of 2/)])
    })

    it.each([['NaN', () => NaN], ['negative', () => -1], ['thrown', () => { throw new Error('no') }]])('a charge that is %s takes the price, and is logged', async (_, charge) => {
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: answers({ json: {} }) }], prices: { 'POST /run': { product: 'runs', price: 2, charge } }, allowance: 5 })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 2 })
      expect(api.errors).toEqual([expect.stringContaining('POST /run')])
    })

    it.each(Object.keys(fails))('a failed call costs zero and its credits are available at once: %s', async (failure) => {
      const prices = { 'POST /run': { product: 'runs', price: 5, charge: () => 5 } }
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: fails[failure]! }], prices, allowance: 5 })
      for (let i = 0; i < 3; i++) {
        const { status, charged, ceiling } = await api.call('POST /run')
        expect({ failed: status >= 400 && status !== 402, charged, ceiling }).toEqual({ failed: true, charged: 0, ceiling: 5 })
        expect(await api.standing()).toEqual({ balance: 5, reserved: 0, available: 5 })
      }
      expect(await api.charges()).toEqual([])
      expect((await api.usage()).total_calls).toBe(0)
    })

    it.each([200, 201, 202, 204, 301, 302, 304])('status %s is charged', async (status) => {
      const answer = { status, headers: status === 301 || status === 302 ? { Location: '/elsewhere' } : {} }
      const api = await rig.open({ routes: [{ route: 'GET /run', handler: answers(answer) }], prices: { 'GET /run': { product: 'runs', price: 5 } }, allowance: 5 })
      expect(await api.call('GET /run')).toMatchObject({ status, charged: 5, remaining: 0 })
      expect(await api.charges()).toEqual([5])
    })

    it('HEAD is charged as the GET it runs', async () => {
      const handler = answers({ json: { long: 'answer' } })
      const api = await rig.open({ routes: [{ route: 'GET /run', handler }], prices: { 'GET /run': { product: 'runs', price: 5, metering: true } }, allowance: 9 })
      expect(await api.call('HEAD /run')).toMatchObject({ status: 200, charged: 5, remaining: 4, text: '' })
      expect(await api.call('HEAD /run')).toMatchObject({ status: 402 })
      expect(handler).toHaveBeenCalledOnce()
    })

    it('a price of zero runs for anybody with an account', async () => {
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: answers({ json: {} }) }], prices: { 'POST /run': { product: 'runs', price: 0 } } })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 0, ceiling: 0 })
    })
  })
}
