import { billable, isFareboxError, memoryStore, reportText, type ChargeContext, type PriceContext } from '@farebox/hono'
import { Hono, type Context } from 'hono'
import { every, except } from 'hono/combine'
import { HTTPException } from 'hono/http-exception'
import { methodOverride } from 'hono/method-override'
import type { HonoRequest } from 'hono/request'
import { describe, expect, it } from 'vitest'
import { creditsOf, rigged } from './hono-rig.js'

const run = (c: Context) => c.json({ ran: true })

describe('a price and its account', () => {
  it('an account that is nobody is refused before the handler runs', async () => {
    const rig = rigged({ prices: { 'POST /run': { product: 'p', price: 1 } } })
    rig.app.use(rig.bill).post('/run', (c) => { rig.ran.push('run'); return run(c) })
    const response = await rig.request('POST', '/run', { headers: { 'x-account': '' } })
    expect(response.status).toBe(401)
    expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
    expect(rig.ran).toEqual([])
  })

  it('a price sees the parameters, the query and the headers of the route that is reached', async () => {
    const seen: unknown[] = []
    const rig = rigged({
      prices: { 'GET /orgs/:org/:what{[a-z]+}': { product: 'p', price: ({ params, query, header, account }: PriceContext) => { seen.push({ ...params }, { ...query }, header('X-Plan'), account); return 1 } } },
    })
    rig.app.use('/orgs/:tenant/*', rig.bill)
    rig.app.get('/orgs/:org/:what{[a-z]+}', run)
    expect((await rig.request('GET', '/orgs/a%20b/run?n=1&n=2&m=3', { headers: { 'x-plan': 'pro' } })).status).toBe(200)
    expect(seen).toEqual([{ org: 'a b', what: 'run' }, { n: ['1', '2'], m: '3' }, 'pro', 'ada'])
  })

  it('a charge still sees them when another handler was reached since', async () => {
    const rig = rigged({ prices: { 'GET /:dear/*': { product: 'p', price: 9, charge: ({ params }: ChargeContext) => Number(params['dear']) } } })
    rig.app.use(rig.bill)
    rig.app.get('/:dear/*', (_, next) => next()).get('/3/:other', run)
    await rig.request('GET', '/3/x')
    expect(await rig.charges()).toEqual([3])
  })

  it('a refusal keeps the headers that were set before it', async () => {
    const rig = rigged({ allowance: 0, prices: { 'GET /run': { product: 'p', price: 1 } } })
    rig.app.use(async (c, next) => { c.header('x-request-id', '7'); await next() }).use(rig.bill).get('/run', run)
    const response = await rig.request('GET', '/run', { headers: { accept: 'application/problem+json' } })
    expect([response.status, response.headers.get('x-request-id'), response.headers.get('content-type')]).toEqual([402, '7', 'application/problem+json'])
  })

  it('an account that throws is the app\'s error, and nothing runs', async () => {
    const rig = rigged({ account: () => { throw new HTTPException(418) }, prices: { 'GET /run': { product: 'p', price: 1 } } })
    rig.app.use(rig.bill).get('/run', (c) => { rig.ran.push('run'); return run(c) })
    expect((await rig.request('GET', '/run')).status).toBe(418)
    expect(rig.ran).toEqual([])
  })

  it('works with a typed app, without a cast', async () => {
    interface AppEnv { Variables: { user: { id: string } } }
    const rig = rigged<AppEnv>({ account: (c: Context<AppEnv>) => c.var.user.id, prices: { 'GET /run': { product: 'p', price: 1 } } })
    rig.app.use(async (c, next) => { c.set('user', { id: 'eve' }); await next() }).use(rig.bill).get('/run', (c) => c.text(c.var.user.id))
    await rig.request('GET', '/run')
    expect(await rig.charges('eve')).toEqual([1])
  })
})

describe('routes that are not in the price book', () => {
  it('run free by default, and are refused where billing says so', async () => {
    for (const [unlisted, status] of [['free', 200], ['refuse', 500]] as const) {
      const rig = rigged({ unlisted, prices: { 'GET /paid': { product: 'p', price: 1 }, 'GET /free': 'free' } })
      rig.app.use(rig.bill).use('*', (_, next) => next())
      rig.app.get('/paid', (_, next) => next(), run).get('/free', run).get('/unlisted', run).get('/two', (c, _next) => Promise.resolve(run(c)))
      expect((await rig.request('GET', '/paid')).status).toBe(200)
      expect((await rig.request('GET', '/free')).status).toBe(200)
      expect((await rig.request('GET', '/unlisted')).status).toBe(status)
      expect((await rig.request('GET', '/two')).status).toBe(status)
      // A path without a route is no unlisted route.
      expect((await rig.request('GET', '/nowhere')).status).toBe(404)
    }
  })
})

describe('billable', () => {
  it('prices a route, also one that the price book lists', async () => {
    const route = { product: 'own', price: 5 }
    for (const twice of [false, true]) {
      const rig = rigged({ unlisted: 'refuse', prices: { 'GET /both': { product: 'p', price: 1 }, 'GET /free': 'free' } })
      if (twice) rig.app.use(rig.bill)
      rig.app.use(rig.bill).get('/own', billable(route), run).get('/both', billable(route), (_, next) => next(), run).get('/free', billable(route), run)
      for (const path of ['/own', '/both', '/free']) expect(creditsOf((await rig.request('GET', path)).headers)).toMatchObject({ 'credits-charged': '5' })
      expect(await rig.charges()).toEqual([5, 5, 5])
    }
  })

  it('refuses before the handler runs', async () => {
    const rig = rigged({ allowance: 4 })
    rig.app.use(rig.bill).get('/own', billable({ product: 'own', price: 5 }), (c) => { rig.ran.push('own'); return run(c) })
    expect((await rig.request('GET', '/own')).status).toBe(402)
    expect(rig.ran).toEqual([])
  })

  it('fails where no billing comes before it', async () => {
    const rig = rigged()
    const faults: unknown[] = []
    rig.app.get('/own', billable({ product: 'own', price: 5 }), run).use(rig.bill).onError((error, c) => { faults.push(error); return c.text('broken', 500) })
    expect((await rig.request('GET', '/own')).status).toBe(500)
    expect(faults).toEqual([expect.objectContaining({ code: 'BILLING_NOT_MOUNTED', message: expect.stringContaining('GET /own') })])
  })

  it('checks its terms at once', () => {
    expect(() => billable({ product: '', price: -1 })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})

describe('billing that runs more than once on a request', () => {
  const prices = { 'GET /v1/run': { product: 'p', price: 2 } }

  it('mounted twice, it bills once and warns once', async () => {
    const rig = rigged({ prices })
    rig.app.use(rig.bill).use('/v1/*', rig.bill).get('/v1/run', run)
    for (let i = 0; i < 2; i++) expect(creditsOf((await rig.request('GET', '/v1/run')).headers)).toMatchObject({ 'credits-charged': '2' })
    expect(await rig.charges()).toEqual([2, 2])
    expect(rig.warnings).toEqual(['farebox: billing is mounted twice: a call is billed once'])
  })

  it('mounted twice, a handler that returns nothing is Hono\'s error as ever', async () => {
    const rig = rigged({ prices })
    rig.app.use(rig.bill).use(rig.bill).get('/v1/run', () => undefined as never).onError((error, c) => c.text(error.message, 500))
    const response = await rig.request('GET', '/v1/run')
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining('Context is not finalized')])
    expect(await rig.charges()).toEqual([])
  })

  it('runs nothing where a request meets two different billings', async () => {
    const rig = rigged({ prices })
    const faults: unknown[] = []
    const inner = rig.billing({ prices: { 'GET /v1/other': { product: 'inner', price: 4 } } })
    const handler = (c: Context) => { rig.ran.push('run'); return run(c) }
    rig.app.use(rig.bill).use('/v1/*', inner).get('/v1/run', handler).get('/v1/other', handler).onError((error, c) => { faults.push(error); return c.text('broken', 500) })
    for (const path of ['/v1/run', '/v1/other']) expect((await rig.request('GET', path)).status).toBe(500)
    expect(faults).toEqual([expect.objectContaining({ code: 'BILLING_MOUNTED_TWICE' }), expect.objectContaining({ code: 'BILLING_MOUNTED_TWICE' })])
    expect(rig.ran).toEqual([])
    expect(await rig.charges()).toEqual([])
  })

  it('a request that is dispatched again as another method is paid as that one', async () => {
    const rig = rigged({ prices: { 'POST /posts': { product: 'p', price: 1 }, 'DELETE /posts': { product: 'p', price: 5 } } })
    rig.app.use(rig.bill)
    rig.app.use('/posts', methodOverride({ app: rig.app as Hono, header: 'x-method' }))
    rig.app.post('/posts', run).delete('/posts', run)
    const response = await rig.request('POST', '/posts', { headers: { 'x-method': 'DELETE' } })
    expect(creditsOf(response.headers)).toMatchObject({ 'credits-charged': '5' })
    expect(await rig.charges()).toEqual([5])
    expect(rig.warnings).toEqual([])
  })

  it('what middleware on the route\'s own path answers itself is no call of the route', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 1 } } })
    rig.app.use(rig.bill).use('/run', (c, next) => (c.req.query('cached') ? Promise.resolve(c.text('cached')) : next())).get('/run', run)
    expect(creditsOf((await rig.request('GET', '/run?cached=1')).headers)).toEqual({})
    expect(creditsOf((await rig.request('GET', '/run')).headers)).toMatchObject({ 'credits-charged': '1' })
    expect(await rig.charges()).toEqual([1])
  })

  it('a function of every method that takes `next` is the route\'s handler where no other is', async () => {
    const rig = rigged({ allowance: 1, prices: { 'GET /run': { product: 'p', price: 1 } } })
    rig.app.use(rig.bill).all('/run', (c, _next) => { rig.ran.push('run'); return Promise.resolve(run(c)) })
    expect((await rig.request('GET', '/run')).status).toBe(200)
    expect((await rig.request('GET', '/run')).status).toBe(402)
    expect(rig.ran).toEqual(['run'])
  })

  it('apps that share sub-apps keep their prices apart', async () => {
    const shared = new Hono().get('/run', run)
    const [one, two] = [1, 2].map((price) => {
      const rig = rigged({ prices: { 'GET /v1/run': { product: 'p', price } } })
      rig.app.use(rig.bill).route('/v1', shared)
      return rig
    })
    for (const [rig, price] of [[one!, 1], [two!, 2], [one!, 1]] as const) expect(creditsOf((await rig.request('GET', '/v1/run')).headers)).toMatchObject({ 'credits-charged': String(price) })
    expect((await shared.request('/run')).headers.has('credits-charged')).toBe(false)
  })
})

describe('where billing is used', () => {
  it('on a path, in a sub-app and under combinators', async () => {
    const rig = rigged({ prices: { 'GET /v1/run': { product: 'p', price: 1 }, 'GET /sub/run': { product: 'p', price: 2 }, 'GET /every/run': { product: 'p', price: 3 }, 'GET /except/run': { product: 'p', price: 4 }, 'GET /except/not': { product: 'p', price: 5 } } })
    rig.app.use('/v1/*', rig.bill).get('/v1/run', run)
    rig.app.route('/sub', new Hono().use(rig.bill).get('/run', run))
    rig.app.use('/every/*', every((_, next) => next(), rig.bill, (_, next) => next())).get('/every/run', (_, next) => next(), run)
    rig.app.use('/except/*', except('/except/not', rig.bill)).get('/except/run', run).get('/except/not', run)
    for (const path of ['/v1/run', '/sub/run', '/every/run', '/except/run', '/except/not']) expect((await rig.request('GET', path)).status, path).toBe(200)
    expect(await rig.charges()).toEqual([1, 2, 3, 4])
  })

  it('a paid route that is registered before it runs unbilled, and the report says so', async () => {
    const rig = rigged({ prices: { 'GET /early': { product: 'p', price: 1 } } })
    rig.app.get('/early', run).use(rig.bill)
    expect((await rig.request('GET', '/early')).status).toBe(200)
    expect(rig.bill.routes(rig.app).before).toEqual(['GET /early'])
    expect(rig.warnings).toEqual([expect.stringContaining('"GET /early" is registered before billing')])
  })

  it('a Hono that keeps its match elsewhere is an error, and nothing runs', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 1 } } })
    const faults: unknown[] = []
    rig.app.use(async (c, next) => {
      // A request of another build: what a version might look like that is not known.
      Object.defineProperty(c, 'req', { value: Object.create({ method: 'GET', path: '/run', routeIndex: 1, header: () => 'ada' }, {}) as HonoRequest })
      await next()
    }).use(rig.bill).get('/run', (c) => { rig.ran.push('run'); return run(c) }).onError((error, c) => { faults.push(error); return c.text('broken', 500) })
    await rig.request('GET', '/run')
    expect(faults.every(isFareboxError) && faults.length > 0).toBe(true)
    expect(rig.ran).toEqual([])
  })

  it('a Hono that runs handlers past the gates is an error', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 1 } } })
    const bypassed = new Hono().use(async (c) => {
      await rig.bill(c, () => { c.req.routeIndex = 5; c.res = c.text('ran'); return Promise.resolve() })
    })
    bypassed.onError((error, c) => c.text((error as { code?: string }).code ?? 'other', 500))
    const response = await bypassed.request('/run')
    expect([response.status, await response.text()]).toEqual([500, 'BILLING_NOT_MOUNTED'])
  })
})

describe('endpoints', () => {
  it('balance and usage summary, free, at their paths below the app that billing is used on', async () => {
    for (const [base, mount] of [['', (app: Hono) => app], ['/api', (app: Hono) => app.basePath('/api')], ['/t/acme', (app: Hono) => app.basePath('/t/:tenant')]] as const) {
      const rig = rigged({ prices: { [`GET ${base.replace('acme', ':tenant')}/run`]: { product: 'p', price: 1 } } })
      const app = mount(rig.app as Hono)
      app.use(rig.bill as never).get('/run', run)
      await rig.request('GET', `${base}/run`)
      expect(await (await rig.request('GET', `${base}/v1/credits/balance`)).json()).toEqual({ balance: 999, reserved: 0, available: 999 })
      expect(await (await rig.request('POST', `${base}/v1/credits/projections/usage-summary`)).json()).toMatchObject({ total_calls: 1, total_credits: 1 })
      expect((await rig.request('HEAD', `${base}/v1/credits/balance`)).status).toBe(200)
      expect((await rig.request('POST', `${base}/v1/credits/balance`)).status).toBe(404)
      expect((await rig.request('GET', '/elsewhere/v1/credits/balance')).status).toBe(404)
    }
  })

  it('in a sub-app', async () => {
    const rig = rigged()
    rig.app.route('/api', new Hono().use(rig.bill).get('/run', run))
    expect((await rig.request('GET', '/api/v1/credits/balance')).status).toBe(200)
    expect((await rig.request('GET', '/v1/credits/balance')).status).toBe(404)
  })

  it('renamed and turned off; nobody is refused', async () => {
    const rig = rigged({ endpoints: { balance: '/me/credits', usageSummary: false } })
    rig.app.use(rig.bill)
    expect((await rig.request('GET', '/me/credits')).status).toBe(200)
    expect((await rig.request('GET', '/me/credits', { headers: { 'x-account': '' } })).status).toBe(401)
    expect((await rig.request('GET', '/v1/credits/balance')).status).toBe(404)
    expect((await rig.request('POST', '/v1/credits/projections/usage-summary')).status).toBe(404)
  })
})

describe('the report', () => {
  it('tells what is sold, what is not, and what billing cannot see', () => {
    const rig = rigged({
      prices: {
        'POST /v1/run': { product: 'run', price: 2 }, 'GET /v1/items/:id': { product: 'items', price: 1 }, 'GET /v1/free': 'free', 'GET /early': { product: 'p', price: 1 },
        'POST /v1/misspelt': { product: 'p', price: 1 }, 'GET /sub/own': { product: 'sub', price: 3 }, 'GET /two': { product: 'two', price: 4 }, 'POST /any': { product: 'any', price: 5 },
      },
    })
    const { app, bill } = rig
    app.get('/early', run)
    app.use('/static/*', (_, next) => next())
    app.use(bill)
    app.use('*', (_, next) => next()).use('/v1/*', (_, next) => next())
    app.post('/v1/run', (_, next) => next(), run).get('/v1/items/:item', run).get('/v1/free', run).get('/v1/unlisted', run)
    app.get('/two', (c, _next) => Promise.resolve(run(c))).all('/any', run)
    const own = new Hono().get('/own', run)
    own.onError((_, c) => c.text('own', 500))
    app.route('/sub', own)
    app.post('/own', billable({ product: 'own', price: 9 }), run)
    app.mount('/legacy', () => new Response('legacy'))
    const report = bill.routes(app)
    expect(report).toEqual({
      priced: [
        { route: 'POST /v1/run', product: 'run', price: '2 credits' }, { route: 'GET /v1/items/:id', product: 'items', price: '1 credits' }, { route: 'GET /two', product: 'two', price: '4 credits' },
        { route: 'POST /any', product: 'any', price: '5 credits' }, { route: 'GET /sub/own', product: 'sub', price: '3 credits' }, { route: 'POST /own', product: 'own', price: '9 credits' },
      ],
      free: ['GET /v1/free'], unlisted: ['GET /v1/unlisted'], unmatched: ['POST /v1/misspelt'], before: ['GET /early'], opaque: ['/static/*', '/legacy/*'],
    })
    expect(rig.warnings).toEqual([expect.stringContaining('POST /v1/misspelt'), expect.stringContaining('GET /early'), expect.stringContaining('/static/*'), expect.stringContaining('/legacy/*')])
    expect(reportText(report)).toContain('POST /v1/run')
  })

  it('a route is gated where every request to it passes billing', () => {
    for (const [mount, gated] of [['*', true], ['/api/*', true], ['/api/:v/*', true], ['/api/:v/run', true], ['/api', false], ['/other/*', false], ['/api/v1', false], ['/api/v2/*', false]] as const) {
      const rig = rigged({ prices: { 'GET /api/v1/run': { product: 'p', price: 1 } } })
      rig.app.use(mount, rig.bill).get('/api/v1/run', run)
      expect(rig.bill.routes(rig.app).before, mount).toEqual(gated ? [] : ['GET /api/v1/run'])
    }
  })

  it('asking for it leaves the app open for more routes', async () => {
    const rig = rigged({ prices: { 'GET /late': { product: 'p', price: 1 } } })
    rig.app.use(rig.bill)
    rig.bill.routes(rig.app)
    rig.app.get('/late', run)
    expect((await rig.request('GET', '/late')).status).toBe(200)
    expect(await rig.charges()).toEqual([1])
  })
})

describe('what billing gives a program', () => {
  it('grants credits and closes', async () => {
    const rig = rigged()
    expect(await rig.bill.grant('ada', 5, { id: 'evt_1', reason: 'top-up' })).toMatchObject({ kind: 'granted', replayed: false, balance: 5 })
    expect(await rig.bill.grant('ada', 5, { id: 'evt_1', reason: 'top-up' })).toMatchObject({ kind: 'granted', replayed: true, balance: 5 })
    await rig.bill.close()
  })

  it('wrong options stop the program with every fault', () => {
    expect(() => rigged({ allowance: -1, store: memoryStore(), prices: { 'nonsense': 'free' } })).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})
