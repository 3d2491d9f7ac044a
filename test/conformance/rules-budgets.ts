import { describe, expect, it, vi } from 'vitest'
import { priceBook, type BudgetLimit } from '@farebox/core'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api } from './adapter-api.js'
import { keyed } from './rules-idempotency.js'

const prices = priceBook({
  'POST /run': { product: 'runs', price: 5 },
  'POST /cheap': { product: 'cheap', price: 5, charge: () => 2 },
  'POST /fails': { product: 'fails', price: 5 },
  'POST /slow': { product: 'slow', price: 5 },
  'POST /research': { product: 'research', price: 5, operation: () => 'op-1' },
})

export function budgetRules(rig: Rig): void {
  const month = Date.UTC(2026, 1, 28, 23, 59, 59)
  const of = (scope: string, limit: number, window: BudgetLimit['window'] = 'day'): BudgetLimit => ({ scope, limit, window })

  /** Each call names its API key, which has 12 credits a day unless said otherwise. */
  async function open(options: Partial<OpenOptions> = {}) {
    let now = month
    const [reached, finish] = [latch(), latch()]
    const handler = vi.fn(() => ({ json: { ok: true } }))
    const api = await rig.open({
      routes: [
        { route: 'POST /run', handler }, { route: 'POST /cheap', handler }, { route: 'POST /fails', handler: () => ({ status: 500, json: {} }) },
        { route: 'POST /slow', handler: async () => {
          reached.open()
          await finish.opened
          return { json: {} }
        } },
        { route: 'POST /research', handler: () => ({ status: 202, json: {} }) },
      ],
      prices, allowance: 1_000, now: () => now, budgets: (req) => [of(`key:${req.header('x-key') ?? 'a'}`, 12)], ...options,
    })
    return { api, handler, reached: reached.opened, finish: finish.open, at: (time: number) => { now = time } }
  }

  const use = async (api: Api, scope: string, window: BudgetLimit['window'] = 'day') => {
    const { budgets: [read] = [] } = await api.store.inner.send({ kind: 'balance', account: 'ada', budgets: [{ scope, window }] })
    return { spent: read!.spent / 1e6, held: read!.held / 1e6 }
  }
  const detailsOf = (reply: Awaited<ReturnType<Api['call']>>) => (reply.json as { error: { details: Record<string, unknown> } }).error.details

  describe('budgets', () => {
    it('the 402 names the scope that said no and how it stands, and nothing runs; another key and another account are not concerned', async () => {
      const { api, handler } = await open()
      for (let i = 0; i < 2; i++) expect((await api.call('POST /run')).status).toBe(200)
      const reply = await api.call('POST /run')
      expect(reply).toMatchObject({ status: 402, charged: 0, remaining: 990, json: { error: { code: 'PAYMENT_REQUIRED', message: 'insufficient credits' } } })
      expect(detailsOf(reply)).toEqual({
        required: 5, available: 990, reserved: 0, remedy: 'raise_limit', budget: { scope: 'key:a', window: 'day', limit: 12, spent: 10, held: 0, resetsAt: '2026-03-01T00:00:00.000Z' },
      })
      expect(reply.headers.get('retry-after')).toBe('1')
      expect((await api.call('POST /run', { headers: { 'x-key': 'b' } })).status).toBe(200)
      expect((await api.call('POST /run', { account: 'bob' })).status).toBe(200)
      expect(handler).toHaveBeenCalledTimes(4)
      expect(await api.charges()).toEqual([5, 5, 5])
    })

    it('problem+json names it too', async () => {
      const { api } = await open({ budgets: () => [of('key:é / 1', 4, 'total')] })
      const { json, headers } = await api.call('POST /run', { headers: { accept: 'application/problem+json' } })
      expect(json).toMatchObject({ status: 402, code: 'PAYMENT_REQUIRED', remedy: 'raise_limit', budget: { scope: 'key:é / 1', window: 'total', limit: 4, spent: 0, held: 0 } })
      expect(headers.get('retry-after')).toBeNull()
    })

    it('all are held, or none: what one refuses is held in no other', async () => {
      const { api } = await open({ budgets: async () => [of('team', 100), of('key', 9, 'month'), of('user', 100, 'total')] })
      expect((await api.call('POST /run')).status).toBe(200)
      expect(detailsOf(await api.call('POST /run'))).toMatchObject({ budget: { scope: 'key', window: 'month' } })
      for (const { scope, window } of [of('team', 0), of('key', 0, 'month'), of('user', 0, 'total')]) expect(await use(api, scope, window)).toEqual({ spent: 5, held: 0 })
    })

    it('a settled call counts what it cost, a failed one nothing', async () => {
      const { api } = await open()
      expect((await api.call('POST /cheap')).charged).toBe(2)
      expect((await api.call('POST /fails')).charged).toBe(0)
      expect(await use(api, 'key:a')).toEqual({ spent: 2, held: 0 })
      for (const status of [200, 200, 402]) expect((await api.call('POST /run')).status).toBe(status)
    })

    it('a call in flight holds its price; where only such stand in the way the remedy is to retry soon', async () => {
      const { api, reached, finish } = await open({ budgets: () => [of('key:a', 8)] })
      const running = api.call('POST /slow')
      await reached
      const reply = await api.call('POST /run')
      expect(detailsOf(reply)).toMatchObject({ remedy: 'retry', budget: { spent: 0, held: 5 } })
      expect(reply.headers.get('retry-after')).toBe('1')
      finish()
      await running
      expect(detailsOf(await api.call('POST /run'))).toMatchObject({ remedy: 'raise_limit', budget: { spent: 5, held: 0 } })
    })

    it('50 calls at once spend no more than the limit', async () => {
      const { api } = await open({ budgets: () => [of('key:a', 32)] })
      const replies = await Promise.all(Array.from({ length: 50 }, () => api.call('POST /run')))
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(6)
      expect(await use(api, 'key:a')).toEqual({ spent: 30, held: 0 })
    })

    it.each([['day', 200, 200], ['month', 200, 402], ['total', 402, 402]] as const)('a %s ends at 00:00 UTC, or never', async (window, atMidnight, dayAfter) => {
      const { api, at } = await open({ budgets: () => [of('key:a', 5, window)] })
      expect((await api.call('POST /run')).status).toBe(200)
      at(month + 999)
      expect((await api.call('POST /run')).status).toBe(402)
      at(month + 1_000)
      expect((await api.call('POST /run')).status).toBe(atMidnight)
      at(month + 1_000 + 86_400_000)
      expect((await api.call('POST /run')).status).toBe(dayAfter)
    })

    it('a replay counts once', async () => {
      const { api } = await open({ budgets: () => [of('key:a', 5)] })
      for (const replayed of [false, true, true]) expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, replayed })
      expect(await use(api, 'key:a')).toEqual({ spent: 5, held: 0 })
    })

    it('an operation holds its price until it is finished', async () => {
      const { api } = await open()
      await api.call('POST /research')
      expect(await use(api, 'key:a')).toEqual({ spent: 0, held: 5 })
      await api.billing.operations.succeed('op-1', { charge: 3 })
      expect(await use(api, 'key:a')).toEqual({ spent: 3, held: 0 })
    })

    it('an estimate says whether they allow the call', async () => {
      const { api } = await open({ budgets: (req) => [of('key:a', Number(req.header('x-limit')))] })
      expect((await api.call('POST /run/estimate', { headers: { 'x-limit': '5' } })).json).toMatchObject({ withinPlanLimits: true })
      expect((await api.call('POST /run/estimate', { headers: { 'x-limit': '4.999999' } })).json).toMatchObject({ withinPlanLimits: false })
    })

    it('short of credits as well, the 402 is that of the credits', async () => {
      const { api } = await open({ allowance: 4, budgets: () => [of('key:a', 1)] })
      expect(detailsOf(await api.call('POST /run'))).toEqual({ required: 5, available: 4, reserved: 0, remedy: 'top_up' })
    })
  })
}
