import { describe, expect, it } from 'vitest'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'

const prices = {
  'POST /sized/:credits': { product: 'sized', price: ({ params }: { params: Readonly<Record<string, string>> }) => Number(params['credits']) },
  'POST /slow': { product: 'slow', price: 5 },
} as const

export function allowanceRules(rig: Rig): void {
  /** An app whose clock stands at noon of a day, and the entries it makes as `kind source credits`. */
  const open = async (allowance: OpenOptions['allowance'] & object, day: string) => {
    let now = Date.parse(`${day}T12:00:00Z`)
    const [reached, finish] = [latch(), latch()]
    const api = await rig.open({
      routes: [{ route: 'POST /sized/:credits', handler: () => ({ json: {} }) }, { route: 'POST /slow', handler: async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      } }],
      prices, now: () => now, allowance,
    })
    const balance = async () => ((await api.call('GET /v1/credits/balance')).json as { balance: number }).balance
    const moved = async () => (await api.billing.entries('ada')).filter(({ kind }) => kind !== 'charge').map(({ kind, label, credits, at }) => `${new Date(at).toISOString().slice(0, 10)} ${kind} ${label} ${credits}`)
    return { api, balance, moved, reached: reached.opened, finish: finish.open, at: (time: string) => { now = Date.parse(time) } }
  }

  describe('an allowance that comes again', () => {
    it('each day at 00:00 UTC, with what is left over gone; the balance knows without a call', async () => {
      const { api, balance, moved, at } = await open({ credits: 10, every: 'day' }, '2026-03-03')
      expect((await api.call('POST /sized/4')).remaining).toBe(6)
      expect((await api.call('POST /sized/7')).status).toBe(402)
      at('2026-03-03T23:59:59.999Z')
      expect(await balance()).toBe(6)
      at('2026-03-04T00:00:00Z')
      expect(await balance()).toBe(10)
      expect((await api.call('POST /sized/7')).remaining).toBe(3)
      expect(await moved()).toEqual(['2026-03-03 grant allowance 10', '2026-03-04 expiry allowance -6', '2026-03-04 grant allowance 10'])
    })

    it('with a part of what is left, where it rolls over', async () => {
      const { api, balance, at } = await open({ credits: 10, every: 'day', rollover: 4 }, '2026-03-03')
      expect((await api.call('POST /sized/4')).remaining).toBe(6)
      at('2026-03-04T00:00:00Z')
      expect(await balance()).toBe(14)
      expect((await api.call('POST /sized/13')).remaining).toBe(1)
      at('2026-03-05T00:00:00Z')
      expect(await balance()).toBe(11)
    })

    it('each month on the account\'s own day, or the last one of a month without it', async () => {
      const { api, balance, at } = await open({ credits: 10, every: 'month' }, '2027-12-31')
      await api.call('POST /sized/10')
      for (const [before, after] of [['2028-01-30', '2028-01-31'], ['2028-02-28', '2028-02-29'], ['2028-03-30', '2028-03-31'], ['2028-04-29', '2028-04-30']]) {
        at(`${before}T23:59:59.999Z`)
        expect(await balance()).toBe(0)
        at(`${after}T00:00:00Z`)
        expect(await balance()).toBe(10)
        await api.call('POST /sized/10')
      }
      expect(await api.charges()).toEqual(Array(5).fill(10))
    })

    it('once, under 30 parallel first calls of a period', async () => {
      const { api, at, moved } = await open({ credits: 10, every: 'month' }, '2026-03-03')
      const calls = async () => (await Promise.all(Array.from({ length: 30 }, () => api.call('POST /sized/1')))).filter(({ status }) => status === 200).length
      expect(await calls()).toBe(10)
      at('2026-04-03T00:00:00Z')
      expect(await calls()).toBe(10)
      expect(await moved()).toEqual(['2026-03-03 grant allowance 10', '2026-04-03 grant allowance 10'])
    })

    it('what a call holds when its period ends is still charged; what it gives back is gone', async () => {
      const { api, balance, reached, finish, at } = await open({ credits: 10, every: 'day', rollover: 10 }, '2026-03-03')
      at('2026-03-03T23:59:59Z')
      const running = api.call('POST /slow')
      await reached
      at('2026-03-04T00:00:00Z')
      expect(await balance()).toBe(20)
      finish()
      expect(await running).toMatchObject({ charged: 5, remaining: 15 })
    })

    it('beside what was bought, which stays', async () => {
      const { api, balance, at } = await open({ credits: 10, every: 'day' }, '2026-03-03')
      await api.grant(7)
      expect((await api.call('POST /sized/1')).remaining).toBe(16)
      at('2026-03-05T09:00:00Z')
      expect(await balance()).toBe(17)
    })

    it('is in the estimate of a new account', async () => {
      const { api } = await open({ credits: 10, every: 'month' }, '2026-03-03')
      expect((await api.call('POST /sized/10/estimate')).json).toMatchObject({ withinPlanLimits: true })
      expect((await api.call('POST /sized/10.5/estimate')).json).toMatchObject({ withinPlanLimits: false })
      expect(await api.entries()).toEqual([])
    })
  })
}
