import { describe, expect, it, vi } from 'vitest'
import type { Events, TopUpNeed } from '@farebox/core'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api } from './adapter-api.js'

const prices = {
  'POST /run': { product: 'runs', price: 1 },
  'POST /dear': { product: 'dear', price: 50 },
  'POST /research': { product: 'research', price: 50, operation: () => 'op-1' },
} as const
const routes = [
  { route: 'POST /run', handler: () => ({ json: {} }) },
  { route: 'POST /dear', handler: () => ({ json: {} }) },
  { route: 'POST /research', handler: () => ({ status: 202, json: {} }) },
]

export function thresholdRules(rig: Rig): void {
  const open = (options: Partial<OpenOptions>) => rig.open({ routes, prices, allowance: 100, storeTimeout: 10_000, ...options })

  async function telling(options: Partial<OpenOptions> = {}) {
    const told: Events['threshold'][] = []
    const on = { threshold: (event: Events['threshold']) => void told.push(event) }
    const api = await open({ onThreshold: [{ below: 60 }, { used: 0.8 }], on, ...options })
    return { api, on, told }
  }
  const calls = (api: Api, count: number) => Array.from({ length: count }, () => api.call('POST /run'))

  describe('thresholds', () => {
    it('one that is passed is told, with how the account stands; not again until a grant lifts the balance a tenth above it', async () => {
      const { api, told } = await telling()
      await api.call('POST /run')
      expect((await api.call('POST /dear')).remaining).toBe(49)
      await vi.waitFor(() => expect(told).toEqual([{ account: 'ada', balance: 49, available: 49, below: 60 }]))
      await api.call('POST /run')
      await api.grant(17)
      await api.call('POST /run')
      await api.grant(2)
      expect((await api.call('POST /run')).remaining).toBe(65)
      await api.call('POST /dear')
      await vi.waitFor(() => expect(told.slice(1)).toEqual([{ account: 'ada', balance: 15, available: 15, below: 60 }]))
    })

    it('the part that is used counts from the last grant', async () => {
      const { api, told } = await telling({ onThreshold: [{ used: 0.5 }], allowance: 101 })
      for (const route of ['POST /run', 'POST /dear', 'POST /run']) await api.call(route)
      await vi.waitFor(() => expect(told).toEqual([{ account: 'ada', balance: 50, available: 50, used: 0.5 }]))
    })

    it('one that an operation passes is told when it ends', async () => {
      const { api, told } = await telling()
      await api.call('POST /run')
      await api.call('POST /research')
      expect(told).toEqual([])
      await api.billing.operations.succeed('op-1')
      await vi.waitFor(() => expect(told).toMatchObject([{ below: 60, balance: 49 }]))
    })

    it('100 parallel calls over two billings on one store that pass it are one event', async () => {
      const { api, on, told } = await telling({ allowance: 150 })
      const beside = await open({ beside: api, onThreshold: [{ below: 60 }, { used: 0.8 }], on })
      await api.call('POST /run')
      const replies = await Promise.all([...calls(api, 50), ...calls(beside, 50)])
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(100)
      // Closing waits for what was seen to be told; the suite's store stays open.
      await Promise.all([api.billing.close(), beside.billing.close()])
      expect(told).toMatchObject([{ account: 'ada', below: 60 }])
      expect(await api.standing()).toMatchObject({ balance: 49 })
    })

    it('a store that is away meanwhile delays them', async () => {
      const { api, told } = await telling()
      await api.call('POST /run')
      const watch = api.store.hold('watch')
      await api.call('POST /dear')
      await watch.reached
      expect(told).toEqual([])
      watch.release()
      await vi.waitFor(() => expect(told).toMatchObject([{ below: 60, balance: 49 }]))
    })
  })

  describe('auto top-up', () => {
    const buying = (buy: () => number | Promise<number>) => {
      const asked: TopUpNeed[] = []
      return { asked, autoTopUp: { below: 10, topUp: (need: TopUpNeed) => {
        asked.push(need)
        return buy()
      } } }
    }

    it('of one account at most one is under way over two billings on one store; its credits arrive and the next call passes', async () => {
      const paid = latch()
      const { asked, autoTopUp } = buying(async () => {
        await paid.opened
        return 500
      })
      const api = await open({ allowance: 20, autoTopUp })
      const beside = await open({ allowance: 20, autoTopUp, beside: api })
      const replies = await Promise.all([...calls(api, 20), ...calls(beside, 20)])
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(20)
      expect(replies.filter(({ status }) => status === 402)).toHaveLength(20)
      await vi.waitFor(() => expect(asked).toHaveLength(1))
      paid.open()
      await Promise.all([api.billing.close(), beside.billing.close()])
      expect(asked).toEqual([{ account: 'ada', id: 'ada/auto-top-up:1', balance: expect.any(Number) as number }])
      expect(await api.call('POST /run')).toMatchObject({ status: 200, remaining: 499 })
      expect((await api.billing.entries('ada')).filter(({ kind }) => kind === 'grant')).toMatchObject([{ source: 'allowance' }, { reference: 'auto-top-up:1', label: 'auto top-up', source: 'top-up', credits: 500 }])
    })

    it('an account that was short of credits on its first call can make the next', async () => {
      const { asked, autoTopUp } = buying(() => 60)
      const api = await open({ allowance: 0, autoTopUp })
      expect((await api.call('POST /dear')).status).toBe(402)
      await vi.waitFor(async () => expect(await api.standing()).toMatchObject({ available: 60 }))
      expect(await api.call('POST /dear')).toMatchObject({ status: 200, remaining: 10 })
      await api.call('POST /run')
      await vi.waitFor(() => expect(asked.map(({ id, balance }) => [id, balance])).toEqual([['ada/auto-top-up:1', 0], ['ada/auto-top-up:2', 9]]))
    })

    it('one that fails is logged and brings nothing; the call is not concerned', async () => {
      const { autoTopUp } = buying(() => { throw new Error('declined') })
      const api = await open({ allowance: 9, autoTopUp })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 1 })
      await vi.waitFor(() => expect(api.errors).toEqual([expect.stringContaining('the top-up auto-top-up:1 of account "ada" failed')]))
      expect(await api.standing()).toMatchObject({ balance: 8 })
    })
  })
}
