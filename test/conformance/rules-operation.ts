import { describe, expect, it, vi } from 'vitest'
import { metered, priceBook } from '@farebox/core'
import type { HandlerAnswer } from '../support/apps/app.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api } from './adapter-api.js'
import { fakeTime } from './fake-time.js'
import { keyed } from './rules-idempotency.js'

const started = (id: string): HandlerAnswer => ({ status: 202, json: { id }, headers: { Location: `/v1/operations/${id}` } })
const idOf = ({ response }: { response: { body: unknown } }) => (response.body as { id: string }).id
const prices = priceBook({
  'POST /research': { product: 'research', price: 50, metering: true, operation: idOf },
  'POST /units': { product: 'units', operation: idOf, ...metered({ rates: { source: 2, page: 0.5 }, ceiling: () => ({ source: 10 }), used: () => ({}) }) },
  'POST /short': { product: 'short', price: 50, maxDuration: 120_000, operation: idOf },
  'POST /plain': { product: 'plain', price: 50 },
  'POST /broken': { product: 'broken', price: 50, operation: () => { throw new Error('no id') } },
  'POST /nameless': { product: 'nameless', price: 50, operation: () => undefined as unknown as string },
})

export function operationRules(rig: Rig): void {
  const open = async (options: Partial<OpenOptions> = {}) => {
    let count = 0
    const handler = vi.fn(() => started(`op-${++count}`))
    const api = await rig.open({ routes: Object.keys(prices).map((route) => ({ route, handler })), prices, allowance: 60, ...options })
    return { api, handler }
  }
  const poll = async (api: Api, id = 'op-1', account = 'ada') => api.call(`GET /v1/operations/${id}`, { account })
  const pendingMetering = { creditsCharged: 0, estimatedMaxCredits: 50, pending: true }

  describe('operations', () => {
    it('a 202 keeps the price reserved until its operation ends', async () => {
      const { api } = await open()
      const reply = await api.call('POST /research')
      expect(reply).toMatchObject({ status: 202, ceiling: 50, charged: undefined, remaining: 10, json: { id: 'op-1', metering: pendingMetering } })
      expect(await api.standing()).toEqual({ balance: 60, reserved: 50, available: 10 })
      expect((await api.call('GET /v1/credits/balance')).json).toEqual({ balance: 60, reserved: 50, available: 10 })
      expect((await api.call('POST /research')).status).toBe(402)
      await api.billing.operations.succeed('op-1', { charge: 20 })
      expect(await api.standing()).toEqual({ balance: 40, reserved: 0, available: 40 })
      expect(await api.charges()).toEqual([20])
      expect((await api.usage()).per_component).toEqual([{ component: 'research', calls: 1, credits: 20 }])
    })

    it('polled, it is pending, then succeeded with its result and what it cost; polling is free', async () => {
      const { api } = await open()
      await api.call('POST /research')
      const pending = await poll(api)
      expect(pending).toMatchObject({ status: 200, ceiling: undefined, json: { operationId: 'op-1', status: 'pending', metering: pendingMetering, result: null } })
      expect(await api.billing.operations.succeed('op-1', { charge: 20, result: { answer: 42 } })).toMatchObject({ kind: 'succeeded', charge: 20, ceiling: 50 })
      expect((await poll(api)).json).toEqual({ operationId: 'op-1', status: 'succeeded', metering: { creditsCharged: 20, estimatedMaxCredits: 50 }, result: { answer: 42 } })
      expect(await api.charges()).toEqual([20])
    })

    it('polled by another account, or under an id that nothing has, it is not there', async () => {
      const { api } = await open()
      await api.call('POST /research')
      for (const [id, account] of [['op-1', 'bob'], ['op-2', 'ada']] as const) {
        expect(await poll(api, id, account)).toMatchObject({ status: 404, json: { error: { code: 'OPERATION_NOT_FOUND' } } })
      }
      expect((await api.call('GET /v1/operations/op-1', { account: null })).status).toBe(401)
      await api.billing.operations.fail('op-1')
    })

    it.each([['a charge', 'POST /research', { charge: 7.5 }, 7.5], ['usage', 'POST /units', { usage: { source: 3, page: 1 } }, 6.5], ['neither: the price', 'POST /research', {}, 50],
      ['a charge above the price', 'POST /research', { charge: 50.000001 }, 50], ['usage above the price', 'POST /units', { usage: { source: 11 } }, 20]])('succeeds with %s', async (_, route, success, charge) => {
      const { api } = await open()
      await api.call(route)
      expect(await api.billing.operations.succeed('op-1', success)).toMatchObject({ kind: 'succeeded', charge, shortfall: 0, late: false })
      expect(await api.charges()).toEqual([charge])
      expect((await poll(api)).json).toMatchObject({ metering: { creditsCharged: charge } })
    })

    it('one that failed costs 0', async () => {
      const { api } = await open()
      await api.call('POST /research')
      expect(await api.billing.operations.fail('op-1', { result: { why: 'no sources' } })).toMatchObject({ kind: 'failed', charge: 0 })
      expect((await poll(api)).json).toEqual({ operationId: 'op-1', status: 'failed', metering: { creditsCharged: 0, estimatedMaxCredits: 50 }, result: { why: 'no sources' } })
      expect(await api.standing()).toEqual({ balance: 60, reserved: 0, available: 60 })
    })

    it('ended twice, the first end counts', async () => {
      const { api } = await open()
      await api.call('POST /research')
      await api.billing.operations.succeed('op-1', { charge: 7, result: 'first' })
      for (const again of [api.billing.operations.succeed('op-1', { charge: 9, result: 'second' }), api.billing.operations.fail('op-1')]) {
        expect(await again).toMatchObject({ kind: 'succeeded', charge: 7 })
      }
      expect((await poll(api)).json).toMatchObject({ status: 'succeeded', result: 'first', metering: { creditsCharged: 7 } })
      expect(await api.charges()).toEqual([7])
    })

    it('ended by ten workers at once, it is charged once', async () => {
      const { api } = await open()
      await api.call('POST /research')
      const ends = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? api.billing.operations.succeed('op-1', { charge: i }) : api.billing.operations.fail('op-1'))))
      expect(new Set(ends.map((end) => JSON.stringify(end))).size).toBe(1)
      expect(await api.settled()).toEqual(ends[0]!.kind === 'succeeded' ? [(ends[0] as { charge: number }).charge] : [])
    })

    it('its progress is shown', async () => {
      const { api } = await open()
      await api.call('POST /research')
      await api.billing.operations.progress('op-1', { percent: 40 })
      expect((await poll(api)).json).toMatchObject({ status: 'pending', progress: { percent: 40 }, metering: pendingMetering })
      await api.billing.operations.succeed('op-1')
    })

    it('nobody ends it in time: it has expired and costs 0, unless it was extended', async () => {
      let now = Date.UTC(2026, 2, 3, 12)
      const { api } = await open({ now: () => now, allowance: 110 })
      await api.call('POST /short')
      await api.call('POST /short')
      await api.billing.operations.extend('op-2', 180_000)
      now += 120_000
      expect((await poll(api)).json).toEqual({ operationId: 'op-1', status: 'expired', metering: { creditsCharged: 0, estimatedMaxCredits: 50 }, result: null })
      expect((await poll(api, 'op-2')).json).toMatchObject({ status: 'pending' })
      expect(await api.standing()).toEqual({ balance: 110, reserved: 50, available: 60 })
      now += 60_000
      expect((await poll(api, 'op-2')).json).toMatchObject({ status: 'expired' })
      expect(await api.standing()).toEqual({ balance: 110, reserved: 0, available: 110 })
    })

    it('ended after it has expired, it is charged late', async () => {
      let now = Date.UTC(2026, 2, 3, 12)
      const { api } = await open({ now: () => now })
      await api.call('POST /short')
      now += 120_000
      expect(await api.call('POST /plain')).toMatchObject({ charged: 50, remaining: 10 })
      expect(await api.billing.operations.succeed('op-1', { charge: 30 })).toMatchObject({ kind: 'succeeded', late: true, charge: 10, shortfall: 20 })
      expect(await api.charges()).toEqual([50, 10])
    })

    it('a 202 of a route without `operation` is a success like any other', async () => {
      const { api } = await open()
      expect(await api.call('POST /plain')).toMatchObject({ status: 202, charged: 50, remaining: 10 })
      expect((await poll(api)).status).toBe(404)
    })

    it('another status of a route with `operation` is a success or a failure like any other', async () => {
      const answers: HandlerAnswer[] = [{ json: { id: 'a' } }, { status: 500, json: { id: 'b' } }]
      const api = await rig.open({ routes: [{ route: 'POST /research', handler: () => answers.shift()! }], prices: { 'POST /research': prices['POST /research'] }, allowance: 60 })
      expect(await api.call('POST /research')).toMatchObject({ status: 200, charged: 50 })
      await api.grant(50)
      expect(await api.call('POST /research')).toMatchObject({ status: 500, charged: 0 })
    })

    it.each(['POST /broken', 'POST /nameless'])('no operation is named: the price is taken, and it is logged: %s', async (route) => {
      const { api } = await open()
      expect(await api.call(route)).toMatchObject({ status: 202, charged: 50, remaining: 10 })
      expect(api.errors).toEqual([expect.stringContaining(route)])
    })

    it('an id that another account\'s operation has: the price is taken, and it is logged', async () => {
      const api = await rig.open({ routes: [{ route: 'POST /research', handler: () => started('same') }], prices: { 'POST /research': prices['POST /research'] }, allowance: 60 })
      await api.call('POST /research')
      expect(await api.call('POST /research', { account: 'bob' })).toMatchObject({ status: 202, charged: 50, remaining: 10 })
      expect(api.errors).toEqual([expect.stringContaining('"same"')])
      await api.billing.operations.succeed('same', { charge: 1 })
      expect([await api.charges(), await api.charges('bob')]).toEqual([[1], [50]])
    })

    it('a worker in another process ends it', async () => {
      const { api } = await open()
      const worker = await rig.open({ routes: [], beside: api })
      await api.call('POST /units')
      expect(await worker.billing.operations.succeed('op-1', { usage: { source: 4 }, result: 'done' })).toMatchObject({ kind: 'succeeded', charge: 8 })
      expect((await poll(api)).json).toMatchObject({ status: 'succeeded', result: 'done', metering: { creditsCharged: 8 } })
    })

    it('an id that nothing has is unknown to a worker', async () => {
      const time = fakeTime()
      const { api } = await open({ storeTimeout: 60_000 })
      const ended = vi.fn()
      void api.billing.operations.succeed('op-9').then(ended)
      while (ended.mock.calls.length === 0) await time.pass(1_000, api)
      expect(ended).toHaveBeenCalledWith({ kind: 'unknown' })
    })

    it('a worker that is done before the 202 has been sent', async () => {
      const ended: Promise<unknown>[] = []
      const api: Api = await rig.open({
        routes: [{ route: 'POST /research', handler: () => {
          ended.push(api.billing.operations.succeed('early', { charge: 3 }))
          return started('early')
        } }],
        prices: { 'POST /research': prices['POST /research'] }, allowance: 60,
      })
      expect((await api.call('POST /research')).status).toBe(202)
      expect(await ended[0]).toMatchObject({ kind: 'succeeded', charge: 3 })
    })

    it('an id of any characters is found at its path', async () => {
      const id = 'a b/ü?#%'
      const api = await rig.open({ routes: [{ route: 'POST /research', handler: () => ({ status: 202, json: { id } }) }], prices: { 'POST /research': prices['POST /research'] }, allowance: 60 })
      await api.call('POST /research')
      expect((await poll(api, encodeURIComponent(id))).json).toMatchObject({ operationId: id, status: 'pending' })
      await api.billing.operations.fail(id)
    })
  })

  describe('operations with an Idempotency-Key', () => {
    it('the same key again gets the same 202, pending and finished', async () => {
      const { api, handler } = await open()
      expect(await api.call('POST /research', keyed())).toMatchObject({ status: 202, json: { id: 'op-1' }, replayed: false })
      const pending = await api.call('POST /research', keyed())
      expect(pending).toMatchObject({ status: 202, json: { id: 'op-1', metering: pendingMetering }, charged: undefined, replayed: true })
      expect(pending.headers.get('location')).toBe('/v1/operations/op-1')
      await api.billing.operations.succeed('op-1', { charge: 20 })
      expect(await api.call('POST /research', keyed())).toMatchObject({ status: 202, json: { id: 'op-1', metering: { creditsCharged: 20, estimatedMaxCredits: 50 } }, charged: 20, replayed: true })
      expect(handler).toHaveBeenCalledOnce()
    })

    it('the key is free again when the operation has failed', async () => {
      const { api } = await open()
      await api.call('POST /research', keyed())
      await api.billing.operations.fail('op-1')
      expect(await api.call('POST /research', keyed())).toMatchObject({ status: 202, json: { id: 'op-2' }, replayed: false })
      await api.billing.operations.fail('op-2')
    })

    it('the key is free again when the operation has expired', async () => {
      let now = Date.UTC(2026, 2, 3, 12)
      const { api } = await open({ now: () => now })
      await api.call('POST /short', keyed())
      now += 119_999
      expect((await api.call('POST /short', keyed())).replayed).toBe(true)
      now += 1
      expect(await api.call('POST /short', keyed())).toMatchObject({ status: 202, json: { id: 'op-2' }, replayed: false })
      await api.billing.operations.fail('op-2')
    })
  })
}
