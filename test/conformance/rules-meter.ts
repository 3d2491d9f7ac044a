import { describe, expect, it } from 'vitest'
import { metered } from '@farebox/core'
import { meter } from '@farebox/core/meter'
import type { Handler } from '../support/apps/app.js'
import type { Rig } from './adapter.js'
import { kinds } from './streams.js'

const counted = metered({
  rates: { lookup: 0.5, domain: 1 },
  ceiling: () => ({ lookup: 4, domain: 3 }),
  used: ({ counts }) => ({ lookup: counts['lookup'] ?? 0, domain: counts['domain'] ?? 0 }),
})

/** What a client of a provider does somewhere below a handler: 3 credits' worth. */
async function work(): Promise<void> {
  await Promise.resolve()
  meter.count('lookup', 2)
  await Promise.all(['a', 'b', 'a'].map(async (domain) => meter.unique('domain', domain)))
}

export function meterRules(rig: Rig): void {
  const open = (handler: Handler) => rig.open({ routes: [{ route: 'POST /run', handler }], prices: { 'POST /run': { product: 'runs', ...counted } }, allowance: 50 })

  describe('meter', () => {
    it('counts below a handler what its call is charged for, each call its own', async () => {
      const api = await open(async () => {
        await work()
        return { json: { left: meter.remaining() } }
      })
      const replies = await Promise.all(Array.from({ length: 5 }, () => api.call('POST /run')))
      for (const reply of replies) expect(reply).toMatchObject({ charged: 3, ceiling: 5, json: { left: 2 } })
    })

    it.each(kinds)('counts while a stream is made: %s', async (_, headers) => {
      async function* source() {
        yield 'data: one\n\n'
        await work()
        yield 'data: two\n\n'
      }
      const api = await open(() => ({ chunks: source(), headers }))
      await api.call('POST /run')
      expect(await api.settled()).toEqual([3])
    })

    it('its signal stops a handler that has used up its price', async () => {
      const api = await open(() => {
        let lookups = 0
        for (; !meter.signal.aborted && lookups < 100; lookups++) meter.count('lookup')
        return { json: { lookups, left: meter.remaining() } }
      })
      expect(await api.call('POST /run')).toMatchObject({ charged: 5, json: { lookups: 10, left: 0 } })
    })

    it('counts nothing outside of a paid call', async () => {
      const api = await rig.open({ routes: [{ route: 'POST /free', handler: async () => {
        await work()
        return { json: { left: String(meter.remaining()), aborted: meter.signal.aborted } }
      } }] })
      expect((await api.call('POST /free')).json).toEqual({ left: 'Infinity', aborted: false })
    })
  })
}
