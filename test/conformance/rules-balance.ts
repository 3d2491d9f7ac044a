import { describe, expect, it } from 'vitest'
import { latch } from '../support/apps/latch.js'
import type { Rig } from './adapter.js'

const DAY = 86_400_000
const fine = () => ({ json: { ok: true } })
const prices = {
  'POST /run': { product: 'runs', price: 5, metering: true },
  'POST /small': { product: 'smalls', price: 1 },
  'POST /sized/:credits': { product: 'sized', price: ({ params }: { params: Readonly<Record<string, string>> }) => Number(params['credits']) },
  'GET /list': 'free',
} as const
const routes = [
  { route: 'POST /run', handler: fine },
  { route: 'POST /small', handler: fine },
  { route: 'POST /sized/:credits', handler: fine },
  { route: 'GET /list', handler: fine },
  { route: 'GET /unlisted', handler: fine },
  { route: 'POST /write', handler: fine },
]

export function balanceRules(rig: Rig): void {
  describe('balance', () => {
    it('first billable call provisions and grants the allowance, once, under 50 parallel first calls', async () => {
      const api = await rig.open({ routes, prices, allowance: 30 })
      const replies = await Promise.all(Array.from({ length: 50 }, () => api.call('POST /small')))
      expect(replies.map(({ status }) => status).sort()).toEqual([...Array<number>(30).fill(200), ...Array<number>(20).fill(402)])
      const grants = (await api.entries()).filter(({ kind }) => kind === 'grant')
      expect(grants.map(({ amount, label }) => [amount, label])).toEqual([[30_000_000, 'allowance']])
      expect(await api.standing()).toEqual({ balance: 0, reserved: 0, available: 0 })
    })

    it('nothing but a billable call provisions', async () => {
      const api = await rig.open({ routes, prices, allowance: 30 })
      for (const route of ['GET /list', 'GET /unlisted', 'POST /write', 'GET /v1/credits/balance']) expect((await api.call(route)).status).toBe(200)
      expect(await api.entries()).toEqual([])
    })

    it('a top-up before the first billable call leaves the allowance due', async () => {
      const api = await rig.open({ routes, prices, allowance: 30 })
      await api.grant(7)
      expect((await api.call('POST /run')).remaining).toBe(32)
      expect((await api.call('POST /run')).remaining).toBe(27)
    })

    it('one balance is shared by all billable routes, and is each account\'s own', async () => {
      const api = await rig.open({ routes, prices, allowance: 10 })
      expect((await api.call('POST /run')).remaining).toBe(5)
      expect((await api.call('POST /small')).remaining).toBe(4)
      expect((await api.call('POST /sized/3')).remaining).toBe(1)
      expect((await api.call('POST /run')).status).toBe(402)
      expect((await api.call('POST /run', { account: 'bob' })).remaining).toBe(5)
    })

    it('after a top-up the same call passes', async () => {
      const api = await rig.open({ routes, prices })
      expect((await api.call('POST /run')).status).toBe(402)
      await api.grant(5)
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5, remaining: 0 })
    })

    it('a smaller request passes', async () => {
      const api = await rig.open({ routes, prices, allowance: 10 })
      expect((await api.call('POST /sized/10.000001')).status).toBe(402)
      expect(await api.call('POST /sized/10')).toMatchObject({ status: 200, charged: 10, remaining: 0 })
    })

    it('reads and plain writes are free', async () => {
      const api = await rig.open({ routes, prices })
      for (const account of ['ada', null]) {
        for (const route of ['GET /list', 'GET /unlisted', 'POST /write']) {
          const reply = await api.call(route, { account })
          expect(reply).toMatchObject({ status: 200, charged: undefined, ceiling: undefined, json: { ok: true } })
        }
      }
    })

    it('the balance shows what is reserved while a call runs', async () => {
      const [reached, finish] = [latch(), latch()]
      const slow = async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      }
      const api = await rig.open({ routes: [{ route: 'POST /run', handler: slow }, ...routes.slice(1)], prices, allowance: 12 })
      const running = api.call('POST /run')
      await reached.opened
      expect((await api.call('GET /v1/credits/balance')).json).toEqual({ balance: 12, reserved: 5, available: 7 })
      expect((await api.call('POST /small')).remaining).toBe(6)
      finish.open()
      expect((await running).remaining).toBe(6)
      expect((await api.call('GET /v1/credits/balance')).json).toEqual({ balance: 6, reserved: 0, available: 6 })
    })

    it('usage summary shows 30-day totals, products and 7 days', async () => {
      const today = Date.UTC(2026, 2, 3, 12)
      let now = today
      const api = await rig.open({ routes, prices, allowance: 100, now: () => now })
      const calls: [daysAgo: number, route: string][] = [[30, 'POST /run'], [29, 'POST /run'], [7, 'POST /small'], [6, 'POST /run'], [3, 'POST /small'], [3, 'POST /sized/0.5'], [0, 'POST /run'], [0, 'POST /small']]
      for (const [daysAgo, route] of calls) {
        now = today - daysAgo * DAY
        expect((await api.call(route)).status).toBe(200)
      }
      expect(await api.usage()).toEqual({
        total_calls: 7, total_credits: 18.5,
        per_component: [{ component: 'runs', calls: 3, credits: 15 }, { component: 'smalls', calls: 3, credits: 3 }, { component: 'sized', calls: 1, credits: 0.5 }],
        daily_series: [
          { date: '2026-02-25', requests: 1, credits: 5 },
          { date: '2026-02-26', requests: 0, credits: 0 },
          { date: '2026-02-27', requests: 0, credits: 0 },
          { date: '2026-02-28', requests: 2, credits: 1.5 },
          { date: '2026-03-01', requests: 0, credits: 0 },
          { date: '2026-03-02', requests: 0, credits: 0 },
          { date: '2026-03-03', requests: 2, credits: 6 },
        ],
      })
      expect((await api.usage('bob')).total_calls).toBe(0)
    })

    it('the endpoints it adds can be renamed or turned off', async () => {
      const api = await rig.open({ routes, prices, endpoints: { balance: '/money', usageSummary: false } })
      expect((await api.call('GET /money')).json).toEqual({ balance: 0, reserved: 0, available: 0 })
      expect((await api.call('GET /v1/credits/balance')).status).toBe(404)
      expect((await api.call('POST /v1/credits/projections/usage-summary')).status).toBe(404)
    })
  })
}
