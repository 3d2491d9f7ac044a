import { describe, expect, it, vi } from 'vitest'
import { metered, priceBook, type Listeners } from '@farebox/core'
import type { Handler } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import { fakeTime } from './fake-time.js'

const hooks = ['admitted', 'refused', 'settled', 'released', 'expired', 'clamped', 'late', 'shortfall', 'unlisted'] as const satisfies readonly (keyof Listeners)[]
const prices = priceBook({
  'POST /run': { product: 'runs', price: 5, charge: () => 2 },
  'POST /units': { product: 'units', ...metered({ rates: { page: 0.5 }, ceiling: () => ({ page: 4 }), used: () => ({ page: 3 }) }) },
  'POST /over': { product: 'over', price: 5, charge: () => 6.5 },
  'POST /long': { product: 'long', price: 5, maxDuration: 30_000 },
  'POST /research': { product: 'research', price: 5, operation: () => 'op-1' },
})

export function eventRules(rig: Rig): void {
  const open = async (handler: Handler = () => ({ json: {} }), options: Partial<OpenOptions> = {}) => {
    const told: { name: string; event: unknown }[] = []
    const on = Object.fromEntries(hooks.map((name) => [name, (event: unknown) => void told.push({ name, event })])) as Listeners
    const api = await rig.open({ routes: [...Object.keys(prices), 'POST /unlisted'].map((route) => ({ route, handler })), prices, allowance: 50, on, ...options })
    return { api, told, names: () => told.map(({ name }) => name), of: (name: string) => told.filter((event) => event.name === name).map(({ event }) => event) }
  }
  const call = (route: string, ceiling = 5) => ({ route, account: 'ada', reservation: expect.any(String) as string, ceiling })
  const durationMs = expect.any(Number) as number

  describe('events', () => {
    it('admitted, then settled, once a call: with its route, account, reservation, ceiling, charge and duration', async () => {
      const { api, told } = await open()
      await api.call('POST /run')
      expect(told).toEqual([
        { name: 'admitted', event: call('POST /run') },
        { name: 'settled', event: { ...call('POST /run'), product: 'runs', charge: 2, items: [], durationMs, pending: false } },
      ])
      const entry = (await api.entries()).find(({ kind }) => kind === 'charge')
      expect(told.map(({ event }) => (event as { reservation: string }).reservation)).toEqual([entry!.reference, entry!.reference])
    })

    it('settled has the receipt\'s lines', async () => {
      const { api, of } = await open()
      await api.call('POST /units')
      expect(of('settled')).toMatchObject([{ ceiling: 2, charge: 1.5, items: [{ unit: 'page', quantity: 3, credits: 1.5 }] }])
    })

    it('released for a call that failed', async () => {
      const { api, told } = await open(() => ({ status: 500, json: {} }))
      await api.call('POST /run')
      expect(told.at(-1)).toEqual({ name: 'released', event: { ...call('POST /run'), durationMs, pending: false } })
      expect(told).toHaveLength(2)
    })

    it('refused with its code', async () => {
      const { api, told } = await open(undefined, { allowance: 0 })
      await api.call('POST /run')
      await api.call('POST /run', { account: null })
      expect(told).toEqual(['PAYMENT_REQUIRED', 'UNAUTHENTICATED'].map((code) => ({ name: 'refused', event: { route: 'POST /run', code, enforced: true } })))
    })

    it('clamped for a call that cost more than its price', async () => {
      const { api, of } = await open()
      expect((await api.call('POST /over')).charged).toBe(5)
      expect(of('clamped')).toEqual([{ ...call('POST /over'), cost: 6.5 }])
      expect(of('settled')).toMatchObject([{ charge: 5 }])
    })

    it('unlisted for a route outside of the price book', async () => {
      const { api, told } = await open()
      await api.call('POST /unlisted')
      expect(told).toEqual([{ name: 'unlisted', event: { url: expect.stringContaining('/unlisted') as string, refused: false } }])
    })

    it('expired when it runs longer than its maxDuration; then late and shortfall when it ends', async () => {
      const [reached, finish] = [latch(), latch()]
      const time = fakeTime()
      let long = true
      const { api, of } = await open(async () => {
        if (!long) return { json: {} }
        long = false
        reached.open()
        await finish.opened
        return { json: {} }
      }, { now: time.now, allowance: 6 })
      const running = api.call('POST /long')
      await reached.opened
      await time.pass(40_000, api)
      expect(of('expired')).toEqual([call('POST /long')])
      await time.pass(60_000, api)
      expect((await api.call('POST /run')).charged).toBe(2)
      await api.grant(0.5)
      expect((await api.call('POST /units')).charged).toBe(1.5)
      finish.open()
      expect(await running).toMatchObject({ status: 200, charged: 3, ceiling: 5 })
      expect(of('late')).toEqual([{ ...call('POST /long'), charge: 3, shortfall: 2 }])
      expect(of('shortfall')).toEqual([{ ...call('POST /long'), shortfall: 2 }])
      expect(of('settled')).toHaveLength(3)
    })

    it('an operation is admitted with its call and settled when it ends', async () => {
      const { api, names, of } = await open(() => ({ status: 202, json: {} }))
      await api.call('POST /research')
      expect(names()).toEqual(['admitted'])
      await api.billing.operations.succeed('op-1', { charge: 3 })
      expect(of('settled')).toEqual([{ ...call('POST /research'), product: 'research', charge: 3, items: [], durationMs, pending: false }])
    })

    it('settled says what the store has not confirmed', async () => {
      const { api, of } = await open(() => {
        api.store.fault = 'fails'
        return { json: {} }
      })
      await api.call('POST /run')
      api.store.fault = undefined
      expect(of('settled')).toMatchObject([{ charge: 2, pending: true }])
      await vi.waitFor(async () => expect(await api.charges()).toEqual([2]))
      expect(of('settled')).toHaveLength(1)
    })

    it.each([['throws', () => { throw new Error('no') }], ['rejects', () => Promise.reject(new Error('no'))]])('a listener that %s changes nothing and is logged', async (_, listener) => {
      const on = Object.fromEntries(hooks.map((name) => [name, listener])) as Listeners
      const { api } = await open(undefined, { on })
      expect(await api.call('POST /over')).toMatchObject({ status: 200, charged: 5, remaining: 45 })
      expect((await api.call('POST /unlisted')).status).toBe(200)
      await vi.waitFor(() => expect(api.errors.map((error) => /"(\w+)"/.exec(error)?.[1]).sort()).toEqual(['admitted', 'clamped', 'settled', 'unlisted']))
    })
  })
}
