import { memoryStore, type Route } from '@farebox/core'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { expressApps } from '../support/apps/express.js'
import { honoApps } from '../support/apps/hono.js'
import { koaApps } from '../support/apps/koa.js'
import { serve } from '../support/apps/serve.js'

const circular: { unit?: unknown } = {}
circular.unit = circular

/** What a function of a program's may return, or do, instead of credits. */
const NO_CREDITS: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined, null: () => null, NaN: () => NaN, infinite: () => Infinity, negative: () => -1, barelyNegative: () => -Number.MIN_VALUE, tooLarge: () => 9_007_199_255, maximal: () => Number.MAX_VALUE,
  text: () => '1', bigint: () => 1n, symbol: () => Symbol('1'), boolean: () => true, array: () => [1], object: () => ({}), valueOf: () => ({ valueOf: () => 1 }), boxed: () => Object(1) as unknown,
  promise: () => Promise.resolve(1), rejection: () => Promise.reject(new Error('no price')), creditsRejected: () => ({ credits: Promise.reject(new Error('no price')) }), creditsText: () => ({ credits: '1' }),
  inherited: () => Object.create({ credits: -1 }) as unknown, getterThrows: () => ({ get credits() { throw new Error('got') } }), revoked: () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy },
  throws: () => { throw new Error('thrown') }, throwsUndefined: () => { throw undefined }, throwsCircular: () => { throw circular }, deep: () => { const dig = (): number => dig() + 1; return dig() },
  itemsBigint: () => ({ credits: 1, items: [{ unit: 'a', quantity: 1n, credits: 1 }] }), itemsCircular: () => ({ credits: 1, items: [circular] }), itemsObject: () => ({ credits: 1, items: { length: 1 } }), itemsText: () => ({ credits: 1, items: 'items' }),
  itemsNull: () => ({ credits: 1, items: [null] }), itemsNaN: () => ({ credits: 1, items: [{ unit: 'a', quantity: NaN, credits: 1 }] }), itemsToJson: () => ({ credits: 1, items: [{ toJSON() { throw new Error('json') } }] }),
}

const names = Object.keys(NO_CREDITS)

describe.each([['Express', expressApps(express)], ['Koa', koaApps], ['Hono', honoApps]] as const)('%s', (_, framework) => {
  it('a price that is none refuses the call, a charge that is none takes the price, and nothing crashes', async () => {
    const rejections: unknown[] = []
    const onRejection = (error: unknown) => rejections.push(error)
    process.on('unhandledRejection', onRejection)
    const store = memoryStore()
    const ran: string[] = []
    const handler = (request: { header(name: string): string | undefined }) => (ran.push(request.header('x-account')!), { json: {} })
    const prices = Object.fromEntries(names.flatMap((name): [string, Route][] => [
      [`POST /price/${name}`, { product: 'p', price: NO_CREDITS[name] as () => number }],
      [`POST /charge/${name}`, { product: 'p', price: 3, charge: NO_CREDITS[name] as () => number }],
    ]))
    const served = await serve(framework({ billing: { store, allowance: 10, prices, logger: { warn() {}, error() {} } }, routes: Object.keys(prices).map((route) => ({ route, handler })) }))
    for (const name of names) {
      for (const kind of ['price', 'charge']) {
        const account = `${kind} ${name}`
        const { status } = await fetch(`${served.url}/${kind}/${name}`, { method: 'POST', headers: { 'x-account': account } })
        const { entries } = await store.send({ kind: 'entries', account, after: '', limit: 10 })
        const charged = entries.filter((entry) => entry.kind === 'charge').map(({ amount }) => -amount / 1e6)
        const { reserved } = await store.send({ kind: 'balance', account })
        expect({ account, status, ran: ran.filter((by) => by === account).length, charged, reserved }).toEqual(
          kind === 'charge' ? { account, status: 200, ran: 1, charged: [3], reserved: 0 } : { account, status: 500, ran: 0, charged: [], reserved: 0 })
      }
    }
    await new Promise(setImmediate)
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
    await served.stop()
  })
})
