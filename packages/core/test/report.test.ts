import { expect, it } from 'vitest'
import { metered } from '../src/billing/prices/metered.js'
import { PriceList } from '../src/billing/prices/price-list.js'
import { reportRoutes, reportText, warnOf, type RegisteredRoute } from '../src/billing/report.js'
import { recordingLogger } from './open-call.js'

const route = { product: 'runs', price: 2 }
const prices = new PriceList({ 'POST /run': route, 'GET /items/:id': { product: 'items', price: () => 1 }, 'GET /health': 'free', 'POST /typo': route })
const registered = (...routes: RegisteredRoute[]) => reportRoutes(prices, { routes, opaque: [] })
const at = (method: string, path: string, gated = true): RegisteredRoute => ({ method, path, gated })

it('sorts what is registered', () => {
  const report = registered(at('POST', '/run'), at('GET', '/items/:item/'), at('GET', '/health'), at('DELETE', '/items/:id'), { ...at('POST', '/one'), billable: { product: 'one', price: 3 } })
  expect(report).toEqual({
    priced: [
      { route: 'POST /run', product: 'runs', price: '2 credits' },
      { route: 'GET /items/:id', product: 'items', price: '() => 1' },
      { route: 'POST /one', product: 'one', price: '3 credits' },
    ],
    free: ['GET /health'], unlisted: ['DELETE /items/:id'], unmatched: ['POST /typo'], before: [], opaque: [],
  })
})

it('a route registered before billing runs unbilled; one registered on both sides does not', () => {
  expect(registered(at('POST', '/run', false))).toMatchObject({ before: ['POST /run'], priced: [] })
  expect(registered(at('POST', '/run', false), at('POST', '/run'))).toMatchObject({ before: [], priced: [{ route: 'POST /run' }] })
  expect(registered(at('GET', '/health', false))).toMatchObject({ before: [], unmatched: expect.not.arrayContaining(['GET /health']) as string[] })
})

it('a handler for all methods matches the keys of each', () => {
  expect(registered(at('ALL', '/run'))).toMatchObject({ priced: [{ route: 'POST /run' }], unlisted: [] })
})

it('warns of what a builder has to look at, and of nothing else', () => {
  const { logger, warnings } = recordingLogger()
  warnOf(reportRoutes(prices, { routes: [at('POST', '/run', false), at('GET', '/items/:id'), at('GET', '/health'), at('GET', '/more')], opaque: ['/legacy'] }), logger)
  expect(warnings).toEqual([
    expect.stringMatching(/"POST \/typo".*no route/), expect.stringMatching(/"POST \/run".*before billing/), expect.stringMatching(/\/legacy.*unbilled/),
  ])
})

it('reads as lines', () => {
  const rates = { ...metered({ rates: { domain: 1, page: 0.5 }, ceiling: () => ({}), used: () => ({}) }), product: 'search' }
  const long = { product: 'long', price: () => 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 }
  const list = new PriceList({ 'GET /a': rates, 'GET /bb': long, 'GET /c': 'free', 'GET /none': route, 'GET /early': route })
  const lines = reportText(reportRoutes(list, { routes: [at('GET', '/a'), at('GET', '/bb'), at('GET', '/c'), at('GET', '/d'), at('GET', '/early', false)], opaque: ['/legacy'] })).split('\n')
  expect(lines.map((line) => line.slice(0, 60))).toEqual([
    'GET /a   1 per domain + 0.5 per page  (search)', expect.stringMatching(/^GET \/bb {2}\(\) => 1 \+/), 'GET /c   free', 'GET /d   not in the price book',
    expect.stringMatching(/^GET \/none {2}NOT REGISTERED/), expect.stringMatching(/^GET \/early {2}UNBILLED/), expect.stringMatching(/^\/legacy {2}UNSEEN/),
  ])
  expect(lines[1]!.length).toBeLessThan(100)
})
