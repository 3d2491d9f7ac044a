import { describe, expect, it } from 'vitest'
import { metered, priceBook } from '@farebox/core'
import type { OpenOptions, Rig } from './adapter.js'

const prices = priceBook({
  'POST /run': { product: 'runs', price: 5 },
  'POST /units': { product: 'units', ...metered({ rates: { page: 0.5, look: 1 }, ceiling: () => ({ page: 4, look: 1 }), used: () => ({ page: 3, look: 1 }) }) },
  'POST /research': { product: 'research', price: 20, rates: { source: 2 }, operation: () => 'op-1' },
})

export function entryRules(rig: Rig): void {
  const start = Date.UTC(2026, 2, 3, 12)
  const open = async (options: Partial<OpenOptions> = {}) => {
    let now = start
    const api = await rig.open({
      routes: Object.keys(prices).map((route) => ({ route, handler: () => ({ status: route === 'POST /research' ? 202 : 200, json: {} }) })),
      prices, allowance: 100, priceBookVersion: '2026-03', now: () => now, ...options,
    })
    return { api, at: (ms: number) => { now = start + ms } }
  }
  const requested = { headers: { 'x-request-id': 'req-17' } }
  const reservation = expect.stringMatching(/./) as string

  describe('bill.entries', () => {
    it('of a charge: when, how much, for what, the balance after, the version of the price book and the request', async () => {
      const { api, at } = await open()
      at(1_000)
      await api.call('POST /run', requested)
      expect(await api.billing.entries('ada')).toEqual([
        { id: '1', at: start + 1_000, kind: 'grant', credits: 100, balance: 100, reference: 'allowance', label: 'allowance', shortfall: 0, source: 'allowance' },
        { id: '2', at: start + 1_000, kind: 'charge', credits: -5, balance: 95, reference: reservation, label: 'runs', shortfall: 0, priceBookVersion: '2026-03', requestId: 'req-17' },
      ])
    })

    it('of a charge by the unit: its lines', async () => {
      const { api } = await open({ priceBookVersion: '' })
      await api.call('POST /units')
      const [, charge] = await api.billing.entries('ada')
      expect(charge).toMatchObject({ credits: -2.5, items: [{ unit: 'page', quantity: 3, credits: 1.5 }, { unit: 'look', quantity: 1, credits: 1 }] })
      expect(Object.keys(charge!)).not.toEqual(expect.arrayContaining(['requestId']))
      expect(Object.keys(charge!)).not.toEqual(expect.arrayContaining(['priceBookVersion']))
    })

    it('an id that is no plain text comes back as it was sent, cut at 200 characters', async () => {
      const { api } = await open()
      for (const id of ['a "b" c,d=e/f%20{}', 'x'.repeat(300)]) await api.call('POST /run', { headers: { 'x-request-id': id } })
      expect((await api.billing.entries('ada')).slice(1).map(({ requestId }) => requestId)).toEqual(['a "b" c,d=e/f%20{}', 'x'.repeat(200)])
    })

    it('of a grant that ends, and of its end', async () => {
      const { api, at } = await open({ allowance: 0 })
      await api.billing.grant('ada', 7, { id: 'spring', reason: 'for you', source: 'promotion', expiresAt: start + 5_000 })
      at(1_000)
      await api.call('POST /run')
      at(9_000)
      expect((await api.call('POST /run')).status).toBe(402)
      expect(await api.billing.entries('ada')).toMatchObject([
        { kind: 'grant', at: start, credits: 7, reference: 'spring', label: 'for you', source: 'promotion', expiresAt: start + 5_000 },
        { kind: 'charge', at: start + 1_000, credits: -5, balance: 2 },
        { kind: 'expiry', at: start + 5_000, credits: -2, balance: 0, reference: 'spring', label: 'promotion' },
      ])
    })

    it('of a refund: of which charge and why', async () => {
      const { api } = await open()
      await api.call('POST /run', requested)
      const charge = (await api.billing.entries('ada')).at(-1)!
      await api.billing.refund('ada', charge.reference, { id: 'ticket-7', reason: 'wrong answer', credits: 2 })
      expect((await api.billing.entries('ada', { after: charge.id }))).toEqual([
        { id: '3', at: start, kind: 'refund', credits: 2, balance: 97, reference: charge.reference, label: 'wrong answer', shortfall: 0, refundId: 'ticket-7' },
      ])
    })

    it('of an operation: when it ended, with what its call said', async () => {
      const { api, at } = await open()
      await api.call('POST /research', requested)
      expect(await api.billing.entries('ada')).toHaveLength(1)
      at(30_000)
      await api.billing.operations.succeed('op-1', { usage: { source: 3 } })
      expect((await api.billing.entries('ada')).slice(1)).toEqual([{
        id: '2', at: start + 30_000, kind: 'charge', credits: -6, balance: 94, reference: reservation, label: 'research', shortfall: 0,
        priceBookVersion: '2026-03', requestId: 'req-17', items: [{ unit: 'source', quantity: 3, credits: 6 }],
      }])
    })

    it('a page at a time, each with the balance after it', async () => {
      const { api } = await open()
      for (let i = 0; i < 5; i++) await api.call('POST /run')
      const first = await api.billing.entries('ada', { limit: 4 })
      const second = await api.billing.entries('ada', { limit: 4, after: first.at(-1)!.id })
      expect([first, second].map((page) => page.map(({ balance }) => balance))).toEqual([[100, 95, 90, 85], [80, 75]])
    })
  })
}
