import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import type { Handler } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api } from './adapter-api.js'
import { fakeTime } from './fake-time.js'
import { keyed } from './rules-idempotency.js'
import { breaking, events, talk } from './streams.js'

/** The first cells of README's table. */
const rows = [...readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split('## Every way a call can end')[1]!.split('\n## ')[0]!.matchAll(/^\| (.+?) \|/gm)]
  .map(([, cell]) => cell!).slice(1)

const fine: Handler = () => ({ json: { ok: true } })

export function endRules(rig: Rig): void {
  /** One route of 5 credits, unless the terms say otherwise. */
  const open = (handler: Handler, terms: object = {}, options: Partial<OpenOptions> = {}) =>
    rig.open({ routes: [{ route: 'POST /run', handler }, { route: 'GET /free', handler: fine }], prices: { 'POST /run': { product: 'runs', price: 5, ...terms }, 'GET /free': 'free' }, allowance: 50, ...options })

  /** The call is refused with this status and code, and its handler does not run. */
  async function expectRefused(status: number, code: string, terms: object, options: Partial<OpenOptions>, call: Parameters<Api['call']>[1] = {}, before: (api: Api) => void = () => {}) {
    const handler = vi.fn(fine)
    const api = await open(handler, terms, options)
    before(api)
    expect(await api.call('POST /run', call)).toMatchObject({ status, charged: 0, json: { error: { code } } })
    expect(handler).not.toHaveBeenCalled()
    expect(await api.charges()).toEqual([])
  }

  /** The client leaves in mid-stream. */
  async function expectLeft(onAbort: 'metered' | 'ceiling' | 'release' | undefined, charges: readonly number[]) {
    const api = await open(() => ({ chunks: talk(new Promise(() => {})), headers: events }), { charge: () => 2, ...(onAbort && { onAbort }) })
    const wire = api.wire('POST /run')
    await wire.begun()
    wire.leave()
    expect(await api.settled()).toEqual(charges)
  }

  const operation = (options: Partial<OpenOptions> = {}) => open(() => ({ status: 202, json: { id: 'op-1' } }), { operation: () => 'op-1', metering: true }, options)
  const polled = async (api: Api) => (await api.call('GET /v1/operations/op-1')).json

  const ends: Readonly<Record<string, () => Promise<void>>> = {
    'succeeded (2xx and 3xx, a 304 to a conditional GET too)': async () => {
      for (const [status, price, charge, charged] of [[200, 5, undefined, 5], [201, 5, () => 2, 2], [302, 5, () => 9, 5], [304, 5, undefined, 5]] as const) {
        const api = await rig.open({ routes: [{ route: 'GET /run', handler: () => ({ status, headers: { Location: '/' } }) }], prices: { 'GET /run': { product: 'runs', price, ...(charge && { charge }) } }, allowance: 9 })
        expect(await api.call('GET /run', { headers: { 'if-none-match': '*' } })).toMatchObject({ status, charged })
      }
    },
    'succeeded, and `charge` threw, gave no amount or the response does not fit its schema': async () => {
      for (const charge of [() => { throw new Error('no') }, () => undefined]) {
        const api = await open(fine, { charge })
        expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 5 })
        expect(api.errors).toEqual([expect.stringContaining('POST /run')])
      }
    },
    'streamed': async () => {
      const api = await open(() => ({ chunks: talk(Promise.resolve()), headers: events }), { charge: () => 2 })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: undefined, ceiling: 5 })
      expect(await api.settled()).toEqual([2])
    },
    'streamed, and it broke in the middle': async () => {
      const received = latch()
      const api = await open(() => ({ chunks: breaking(received.opened), headers: events }))
      const wire = api.wire('POST /run')
      await wire.begun()
      received.open()
      expect(await api.settled()).toEqual([])
      wire.leave()
    },
    'the handler answered 400 or above, or threw': async () => {
      for (const handler of [() => ({ status: 400, json: {} }), () => { throw new Error('no') }]) {
        const api = await open(handler, { charge: () => 2 })
        const { status, charged } = await api.call('POST /run')
        expect({ failed: status >= 400, charged }).toEqual({ failed: true, charged: 0 })
      }
    },
    'a handler passed it on (`next()`) to another route of the price book': async () => {
      for (const [terms, told] of [[{ product: 'items', price: 3 }, { charged: 3, ceiling: 3 }], ['free', { charged: undefined, ceiling: undefined }]] as const) {
        const routes = [{ route: 'POST /items/special', handler: () => ({ passesOn: true }) }, { route: 'POST /items/:id', handler: fine }]
        const api = await rig.open({ routes, prices: { 'POST /items/special': { product: 'special', price: 5 }, 'POST /items/:id': terms }, allowance: 50 })
        expect(await api.call('POST /items/special')).toMatchObject({ status: 200, text: '{"ok":true}', ...told })
        expect(await api.settled()).toEqual(told.charged === undefined ? [] : [3])
      }
    },
    'no account': () => expectRefused(401, 'UNAUTHENTICATED', {}, {}, { account: null }),
    'available credits, or what a budget or `maxPerDay` leaves, below the price': async () => {
      const budgets = () => [{ scope: 'key:a', limit: 4.999999, window: 'total' } as const]
      for (const options of [{ allowance: 4.999999 }, { budgets }, { maxPerDay: 4.999999 }]) await expectRefused(402, 'PAYMENT_REQUIRED', {}, options)
    },
    'price above `maxCeiling`': () => expectRefused(403, 'CEILING_TOO_HIGH', {}, { maxCeiling: 4 }),
    'body fails the route\'s schema or can\'t be read': () => expectRefused(422, 'INVALID_REQUEST', { body: failing }, {}, { body: {} }),
    'price threw, or is NaN, negative, infinite or too large': async () => {
      for (const price of [() => { throw new Error('no') }, () => NaN, () => -1, () => Infinity, () => 1e10]) await expectRefused(500, 'PRICE_INVALID', { price }, {})
    },
    'the store does not answer before the call': () => expectRefused(503, 'BILLING_UNAVAILABLE', {}, {}, {}, ({ store }) => { store.fault = 'fails' }),
    'the store does not answer after the call': async () => {
      const api: Api = await open(() => {
        api.store.fault = 'fails'
        return { json: {} }
      }, { metering: true })
      expect((await api.call('POST /run')).json).toEqual({ metering: { creditsCharged: 5, estimatedMaxCredits: 5, pending: true } })
      api.store.fault = undefined
      expect(await api.settled()).toEqual([5])
    },
    'the process died': async () => {
      let now = Date.UTC(2026, 2, 3, 12)
      const reached = latch()
      const api = await open(() => {
        reached.open()
        return new Promise(() => {})
      }, {}, { now: () => now })
      const dead = api.wire('POST /run')
      await reached.opened
      api.store.fault = 'hangs'
      dead.leave()
      now += 59_999
      expect(await api.standing()).toEqual({ balance: 50, reserved: 5, available: 45 })
      now += 1
      expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 })
    },
    'finished after its reservation expired': async () => {
      const [reached, finish] = [latch(), latch()]
      const time = fakeTime()
      const api = await open(async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      }, { maxDuration: 10_000 }, { now: time.now, allowance: 5 })
      const running = api.call('POST /run')
      await reached.opened
      await time.pass(100_000, api)
      const beside = await rig.open({ routes: [{ route: 'POST /run', handler: fine }], prices: { 'POST /run': { product: 'runs', price: 2 } }, beside: api })
      expect((await beside.call('POST /run')).charged).toBe(2)
      finish.open()
      expect(await running).toMatchObject({ status: 200, charged: 3, ceiling: 5, remaining: 0 })
      expect((await api.entries()).at(-1)).toMatchObject({ amount: -3_000_000, shortfall: 2_000_000 })
    },
    'the client left before the response began': async () => {
      for (const [onAbort, charges] of [[undefined, [2]], ['ceiling', [5]], ['release', []]] as const) {
        const [reached, finish] = [latch(), latch()]
        const api = await open(async () => {
          reached.open()
          await finish.opened
          return { json: {} }
        }, { charge: () => 2, ...(onAbort && { onAbort }) })
        const wire = api.wire('POST /run')
        await reached.opened
        wire.leave()
        if (onAbort) expect(await api.settled()).toEqual(charges)
        finish.open()
        expect(await api.settled()).toEqual(charges)
      }
    },
    'the client left in mid-stream': () => expectLeft(undefined, [2]),
    'the client left in mid-stream, `onAbort: \'ceiling\'`': () => expectLeft('ceiling', [5]),
    'the client left in mid-stream, `onAbort: \'release\'`': () => expectLeft('release', []),
    'answered 202 and began an operation': async () => {
      const api = await operation()
      expect(await api.call('POST /run')).toMatchObject({ status: 202, charged: undefined, ceiling: 5, remaining: 45, json: { metering: { creditsCharged: 0, estimatedMaxCredits: 5, pending: true } } })
      expect(await api.standing()).toEqual({ balance: 50, reserved: 5, available: 45 })
      await api.billing.operations.fail('op-1')
    },
    'its operation succeeded': async () => {
      for (const [success, charge] of [[{ charge: 2 }, 2], [{}, 5], [{ charge: 7 }, 5]] as const) {
        const api = await operation()
        await api.call('POST /run')
        await api.billing.operations.succeed('op-1', success)
        expect(await polled(api)).toMatchObject({ status: 'succeeded', metering: { creditsCharged: charge, estimatedMaxCredits: 5 } })
        expect(await api.charges()).toEqual([charge])
      }
    },
    'its operation failed': async () => {
      const api = await operation()
      await api.call('POST /run')
      await api.billing.operations.fail('op-1')
      expect(await polled(api)).toMatchObject({ status: 'failed', metering: { creditsCharged: 0 } })
      expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 })
    },
    'its operation was not finished in time': async () => {
      let now = Date.UTC(2026, 2, 3, 12)
      const api = await operation({ now: () => now })
      await api.call('POST /run')
      now += 600_000
      expect(await polled(api)).toMatchObject({ status: 'expired', metering: { creditsCharged: 0 } })
      expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 })
    },
    'sent again with its `Idempotency-Key`, finished': async () => {
      const handler = vi.fn(fine)
      const api = await open(handler)
      for (const replayed of [false, true]) expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 5, remaining: 45, text: '{"ok":true}', replayed })
      expect(handler).toHaveBeenCalledOnce()
      expect(await api.charges()).toEqual([5])
    },
    'sent again with its `Idempotency-Key`, still running': async () => {
      const [reached, finish] = [latch(), latch()]
      const api = await open(async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      })
      const first = api.call('POST /run', keyed())
      await reached.opened
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 409, charged: 0, json: { error: { code: 'IDEMPOTENCY_IN_PROGRESS' } } })
      finish.open()
      await first
      expect(await api.charges()).toEqual([5])
    },
    'sent again with its `Idempotency-Key`, streamed or too large to be kept': async () => {
      for (const answer of [{ chunks: talk(Promise.resolve()), headers: events }, { json: { text: 'x'.repeat(300_000) } }]) {
        const api = await open(() => answer)
        await api.call('POST /run', keyed())
        expect(await api.call('POST /run', keyed())).toMatchObject({ status: 409, charged: 0, json: { error: { code: 'IDEMPOTENCY_RESULT_UNAVAILABLE' } } })
        expect(await api.settled()).toEqual([5])
      }
    },
    'another payload with the same `Idempotency-Key`': async () => {
      const api = await open(fine)
      await api.call('POST /run', keyed())
      expect(await api.call('POST /run', keyed('k', { body: { other: 1 } }))).toMatchObject({ status: 422, charged: 0, json: { error: { code: 'IDEMPOTENCY_MISMATCH' } } })
      expect(await api.charges()).toEqual([5])
    },
    'would have been refused, and `enforce` is `false`': async () => {
      const api = await open(fine, {}, { enforce: false, allowance: 4 })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: undefined, text: '{"ok":true}' })
      expect(api.billing.refusals()).toEqual({ PAYMENT_REQUIRED: 1 })
      expect(await api.charges()).toEqual([])
    },
  }

  describe('every way a call can end', () => {
    it.each(rows)('%s', async (row) => {
      expect(Object.keys(ends)).toContain(row)
      await ends[row]!()
    })

    it('each is a row of README\'s table', () => {
      expect(Object.keys(ends).sort()).toEqual([...rows].sort())
    })
  })
}

/** Refuses whatever it is given. */
const failing = { '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } }
