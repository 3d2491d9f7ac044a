import { describe, expect, it } from 'vitest'
import { priceBook } from '@farebox/core'
import { z } from 'zod'
import { latch, type Latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api, Reply } from './adapter-api.js'

const prices = priceBook({
  'POST /fixed': { product: 'fixed', price: 8 },
  'POST /counted': { product: 'counted', body: z.object({ count: z.int().min(1), domains: z.array(z.string()).default([]) }), price: ({ body }) => 2 + 3 * body.count + body.domains.length },
  'POST /hold/:credits': { product: 'holds', price: ({ params }) => Number(params['credits']) },
})

export function remedyRules(rig: Rig): void {
  const start = Date.UTC(2026, 2, 3, 12)

  /** An app whose `/hold` waits for the test's end, each call begun at its own second. */
  async function open(options: Partial<OpenOptions>, holds: readonly { readonly credits: number; readonly at: number }[] = []) {
    let now = start
    const finish = latch()
    let reached: Latch
    const api = await rig.open({
      routes: [
        { route: 'POST /fixed', handler: () => ({ json: {} }) },
        { route: 'POST /counted', handler: () => ({ json: {} }) },
        { route: 'POST /hold/:credits', handler: async () => {
          reached.open()
          await finish.opened
          return { json: {} }
        } },
      ],
      prices, now: () => now, ...options,
    })
    const held: Promise<Reply>[] = []
    for (const { credits, at } of holds) {
      now = start + at
      reached = latch()
      held.push(api.call(`POST /hold/${credits}`))
      await reached.opened
    }
    return { api, at: (ms: number) => { now = start + ms }, async end() {
      finish.open()
      await Promise.all(held)
    } }
  }

  const refusal = async (api: Api, route: string, body: unknown = {}) => {
    const reply = await api.call(route, { body })
    const { status, charged, headers, json } = reply
    const { error } = json as { error: { details: { remedy: string } } }
    expect({ status, charged }).toEqual({ status: 402, charged: 0 })
    return { remedy: error.details.remedy, retryAfter: headers.get('retry-after') }
  }

  describe('what to do about a 402', () => {
    it('top_up: nothing that the account has would do; no Retry-After', async () => {
      const { api } = await open({ allowance: 4 })
      expect(await refusal(api, 'POST /fixed')).toEqual({ remedy: 'top_up', retryAfter: null })
      expect(await refusal(api, 'POST /counted', { count: 1 })).toEqual({ remedy: 'top_up', retryAfter: null })
    })

    it('reduce: a smaller request would fit', async () => {
      const { api } = await open({ allowance: 6 })
      expect(await refusal(api, 'POST /counted', { count: 3 })).toEqual({ remedy: 'reduce', retryAfter: null })
      expect(await refusal(api, 'POST /counted', { count: 2, domains: ['a', 'b', 'c'] })).toEqual({ remedy: 'reduce', retryAfter: null })
      expect((await api.call('POST /counted', { body: { count: 1 } })).charged).toBe(5)
    })

    it('retry: only calls in flight stand in the way; Retry-After is when enough of them will have expired, in whole seconds', async () => {
      const { api, at, end } = await open({ allowance: 10 }, [{ credits: 1, at: 0 }, { credits: 5, at: 2_000 }, { credits: 4, at: 10_000 }])
      at(10_000)
      expect(await refusal(api, 'POST /fixed')).toEqual({ remedy: 'retry', retryAfter: '60' })
      expect(await refusal(api, 'POST /counted', { count: 1 })).toEqual({ remedy: 'retry', retryAfter: '52' })
      at(10_001)
      expect(await refusal(api, 'POST /counted', { count: 1 })).toEqual({ remedy: 'retry', retryAfter: '52' })
      at(11_000)
      expect(await refusal(api, 'POST /counted', { count: 1 })).toEqual({ remedy: 'retry', retryAfter: '51' })
      at(10_000)
      await end()
    })

    it('calls in flight are no way out of a price above the balance', async () => {
      const { api, end } = await open({ allowance: 6 }, [{ credits: 6, at: 0 }])
      expect(await refusal(api, 'POST /fixed')).toEqual({ remedy: 'top_up', retryAfter: null })
      await end()
    })

    it('problem+json has it too', async () => {
      const { api, end } = await open({ allowance: 10 }, [{ credits: 5, at: 0 }])
      const reply = await api.call('POST /fixed', { headers: { accept: 'application/problem+json' } })
      expect(reply.json).toMatchObject({ status: 402, code: 'PAYMENT_REQUIRED', required: 8, available: 5, reserved: 5, remedy: 'retry' })
      expect(reply.headers.get('retry-after')).toBe('60')
      await end()
    })
  })
}
