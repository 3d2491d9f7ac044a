import { billable, type PriceContext } from '@farebox/hono'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { LinearRouter } from 'hono/router/linear-router'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rigged, type Rig } from './hono-rig.js'

const price = (credits: number) => ({ product: 'p', price: credits })
const pass: MiddlewareHandler = (_, next) => next()
const run = (c: Context) => c.json({ own: c.req.path })

/** The most that a call would cost, or the status of another answer. */
async function estimated(rig: Rig, path: string, json?: unknown): Promise<unknown> {
  const response = await rig.post(`${path}/estimate`, json)
  const body = response.headers.get('content-type')?.includes('json') ? await response.json() as Record<string, unknown> : {}
  return 'own' in body ? 'own' : body['estimatedMaxCredits'] ?? response.status
}

/** Before the app was shown to billing, and since. */
async function both(rig: Rig, paths: Readonly<Record<string, unknown>>): Promise<void> {
  for (const shown of [false, true]) {
    if (shown) rig.bill.routes(rig.app)
    for (const [path, wanted] of Object.entries(paths)) expect(await estimated(rig, path), `${path}, app shown: ${shown}`).toBe(wanted)
  }
  expect([rig.store.count('reserve'), rig.ran]).toEqual([0, []])
}

describe('an estimate is found by Hono\'s own matching', () => {
  it('with parameters, patterns, optional parts and wildcards, by any method, behind middleware of any', async () => {
    const rig = rigged({
      prices: {
        'POST /v1/run': price(1), 'GET /v1/get': price(2), 'PATCH /num/:n{[0-9]+}': price(3), 'GET /opt/:id?': price(4), 'GET /star/*/end': price(5), 'GET /both': price(6), 'POST /both': price(7),
        'GET /half': price(8), 'POST /half': 'free', 'GET /free': 'free',
      },
    })
    rig.app.use(rig.bill).use('/v1/*', pass).on('POST', '*', pass)
    rig.app.post('/v1/run', run).get('/v1/get', run).patch('/num/:n{[0-9]+}', run).get('/opt/:id?', run).get('/star/*/end', run).get('/both', run).post(run).get('/half', run).post(run).get('/free', run).get('/unlisted', run)
    await both(rig, {
      '/v1/run': 1, '/v1/get': 2, '/num/12': 3, '/num/x': 404, '/opt': 4, '/opt/x': 4, '/star/1/end': 5, '/both': 7, '/half': 8, '/free': 404, '/unlisted': 404, '/nowhere': 404,
      '/V1/run': 404, '/v1/run/': 404, '/v1//run': 404, '/x/../v1/run': 1, '/v1/%72un': 1,
    })
    expect(await estimated(rig, '')).toBe(404)
  })

  it('with what a price sees: decoded parameters, the query, headers, the body, the account', async () => {
    const seen: unknown[] = []
    const rig = rigged({
      prices: {
        'POST /orgs/:org/run': {
          product: 'p', body: z.object({ n: z.number() }),
          price: ({ params, query, header, account, body }: PriceContext) => { seen.push([{ ...params }, { ...query }, header('x-plan'), account]); return (body as { n: number }).n },
        },
      },
    })
    rig.app.use('/orgs/:tenant/*', rig.bill).post('/orgs/:org/run', run)
    for (const shown of [false, true]) {
      if (shown) rig.bill.routes(rig.app)
      const response = await rig.post('/orgs/a%2Fb%20c/run/estimate?m=1', { n: 3 }, { 'x-plan': 'pro' })
      expect(await response.json()).toMatchObject({ estimatedCredits: 3, estimatedMaxCredits: 3, withinPlanLimits: true })
      expect(await estimated(rig, '/orgs/a/run', { n: 'x' })).toBe(422)
    }
    const [first] = seen
    expect([first, seen.length]).toEqual([[{ org: 'a/b c' }, { m: '1' }, 'pro', 'ada'], 2])
  })

  it('under route(), basePath() and sub-apps with billing of their own', async () => {
    const prices = { 'POST /api/v1/run': price(1), 'GET /api/items/:id': price(2) }
    const paths = { '/api/v1/run': 1, '/api/items/7': 2, '/v1/run': 404, '/items/7': 404 }
    const routed = rigged({ prices })
    routed.app.use(routed.bill).route('/api', new Hono().route('/v1', new Hono().post('/run', run)).get('/items/:item', run))
    await both(routed, paths)
    const based = rigged({ prices })
    const api = based.app.basePath('/api')
    api.use(based.bill)
    api.post('/v1/run', run).get('/items/:id', run)
    await both(based, paths)
    const inside = rigged({ prices })
    inside.app.route('/api', new Hono().use(inside.bill).post('/v1/run', run).get('/items/:id', run))
    await both(inside, paths)
    const mounted = rigged({ prices })
    mounted.app.use('/api/*', mounted.bill).post('/api/v1/run', run).get('/api/items/:id', run)
    await both(mounted, paths)
  })

  it('with a slash at the end where the app is not strict, and with another router', async () => {
    const rig = rigged({ prices: { 'POST /run': price(1) } }, { strict: false, router: new LinearRouter() as never })
    rig.app.use(rig.bill).post('/run', run)
    await both(rig, { '/run': 1, '/RUN': 404 })
    expect((await rig.post('/run/estimate/')).status).toBe(200)
  })

  it('of the app that was shown: its order, and what it does not sell', async () => {
    const rig = rigged({ prices: { 'GET /items/:id': price(9), 'GET /items/special': 'free', 'GET /pass/*': price(1), 'GET /pass/dear': price(5), 'GET /guard/*': price(3), 'GET /guard/free': 'free', 'GET /gone': price(2) } })
    rig.app.use(rig.bill)
    rig.app.get('/items/special', run).get('/items/:id', run)
    rig.app.get('/pass/*', pass).get('/pass/dear', run).get('/pass/unlisted', run)
    rig.app.use('/guard/*', pass).get('/guard/free', run).get('/guard/unlisted', run).get('/guard/*', run)
    rig.bill.routes(rig.app)
    for (const [path, wanted] of Object.entries({ '/items/special': 404, '/items/x': 9, '/pass/dear': 5, '/pass/unlisted': 1, '/guard/free': 404, '/guard/unlisted': 404, '/guard/x': 3, '/gone': 404 })) expect(await estimated(rig, path), path).toBe(wanted)
  })

  it('of routes that billable() sells, once the app was shown', async () => {
    const rig = rigged({ prices: { 'POST /both': price(1) } })
    rig.app.use(rig.bill).use('*', pass)
    rig.app.route('/v1', new Hono().post('/own/:id', billable({ product: 'own', price: ({ params }) => Number(params['id']) }), pass, run)).post('/both', pass, billable(price(5)), run)
    expect(await estimated(rig, '/v1/own/3')).toBe(404)
    rig.bill.routes(rig.app)
    expect([await estimated(rig, '/v1/own/3'), await estimated(rig, '/both')]).toEqual([3, 5])
  })
})

describe('a parameter or a wildcard that would take the word as well', () => {
  it('makes nobody pay for an estimate', async () => {
    const rig = rigged({ prices: { 'POST /items': price(3), 'POST /items/:id': price(9), 'POST /w/*': price(5) } })
    rig.app.use(rig.bill)
    for (const path of ['/items/:id', '/items', '/w/*']) rig.app.post(path, run)
    rig.app.post('/items/:id/:what', (c, _next) => Promise.resolve(run(c)))
    await both(rig, { '/items': 3, '/items/1': 9, '/w/x': 5 })
    expect(await rig.charges()).toEqual([])
  })
})

describe('there is none', () => {
  it('where the app has a route of its own, sold or not', async () => {
    const rig = rigged({ prices: { 'POST /a': price(1), 'POST /b': price(2), 'POST /c': price(3), 'POST /d/:id': price(4), 'POST /b/estimate': price(7), 'POST /c/estimate': 'free' } })
    rig.app.use(rig.bill).use('/a/*', pass).on('POST', '*', pass)
    for (const path of ['/a', '/b', '/c', '/d/:id', '/a/estimate', '/c/estimate']) rig.app.post(path, run)
    rig.app.all('/b/estimate', (c, _next) => Promise.resolve(run(c)))
    rig.app.post('/d/:id/estimate', (c, _next) => Promise.resolve(run(c)))
    for (const shown of [false, true]) {
      if (shown) rig.bill.routes(rig.app)
      for (const path of ['/a', '/b', '/c', '/d/1']) expect(await estimated(rig, path), path).toBe('own')
    }
    expect(await rig.charges()).toEqual([7, 7])
  })

  it('where it is turned off, nor by another method', async () => {
    const rig = rigged({ endpoints: { estimate: '/quote' }, prices: { 'POST /run': price(1) } })
    rig.app.use(rig.bill).post('/run', run)
    expect([(await rig.post('/run/quote')).status, (await rig.post('/run/estimate')).status, (await rig.request('GET', '/run/quote')).status]).toEqual([200, 404, 404])
    const off = rigged({ endpoints: { estimate: false }, prices: { 'POST /run': price(1) } })
    off.app.use(off.bill).post('/run', run)
    expect((await off.post('/run/estimate')).status).toBe(404)
  })

  it('for nobody', async () => {
    const rig = rigged({ prices: { 'POST /run': price(1) } })
    rig.app.use(rig.bill).post('/run', run)
    expect((await rig.post('/run/estimate', {}, { 'x-account': '' })).status).toBe(401)
  })
})

it('price books of three frameworks have keys that Hono does not register', async () => {
  const rig = rigged({ prices: { 'POST /run': price(1), 'GET /^\\/fly$/': price(2), 'GET /files/*path': price(3), 'GET /{:lang}/x': price(4), 'GET *': price(5), 'GET /a/:id(\\d+)': price(6), 'GET /a/:id/:id': price(7) } })
  rig.app.use(rig.bill).post('/run', run)
  expect(await estimated(rig, '/run')).toBe(1)
})
