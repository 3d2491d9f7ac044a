import { billable } from '@farebox/express'
import type { RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { priced, rigs, versions, type Rig } from './express-rig.js'

describe.each(versions)('%s', (name, express) => {
  const open = rigs(express)
  const rest = name === 'Express 4' ? '*' : '*rest'

  /** The most that a call of this path would cost, if billing says so. */
  async function estimateOf(rig: Rig, path: string): Promise<unknown> {
    const reply = await rig.call(`POST ${path}/estimate`)
    return reply.status === 200 ? reply.json['estimatedMaxCredits'] : undefined
  }

  /** What each path's call would cost; no handler has run for it, and nothing was held. */
  async function expectEstimates(rig: Rig, expected: Readonly<Record<string, unknown>>) {
    for (const [path, credits] of Object.entries(expected)) expect(await estimateOf(rig, path), path).toBe(credits)
    expect(rig.ran).toEqual([])
    expect(await rig.charges()).toEqual([])
    expect(rig.store.reserved.size).toBe(0)
  }

  it('are of the route that a call would reach, however it is mounted and spelled', async () => {
    const rig = open({ prices: {
      ...priced('POST /v1/run', 'GET /m/n/run', 'PUT /w/:tenant/run', 'POST /a', 'POST /b', 'GET /sub/page', 'POST /strict/Case', 'DELETE /any', 'GET /x1/arr', 'GET /x2/arr', 'GET /m', `GET /files/${rest}`),
    } })
    const { app } = rig
    const handler = rig.handler('ran')
    app.use(rig.bill)
    app.post('/v1/run', handler)
    const [outer, inner, tenants, strict, sub, arrays] = [express.Router(), express.Router(), express.Router(), express.Router({ strict: true, caseSensitive: true }), express(), express.Router()]
    inner.get('/run', handler)
    outer.get('/', handler)
    outer.use('/n', inner)
    app.use('/m', outer)
    tenants.put('/run', handler)
    app.use('/w/:id', tenants)
    app.post(['/a', '/b'], handler)
    sub.get('/page', handler)
    app.use('/sub', sub)
    strict.post('/Case', handler)
    app.use('/strict', strict)
    app.all('/any', handler)
    arrays.get('/arr', handler)
    app.use(['/x1', '/x2'], arrays)
    app.get(`/files/${rest}`, handler)
    await expectEstimates(rig, {
      '/v1/run': 1, '/V1/RUN': 1, '/v1/run/': 1, '/m/n/run': 2, '/w/7/run': 3, '/a': 4, '/B': 5, '/sub/page': 6, '/strict/Case': 7, '/STRICT/case': undefined, '/strict/Case/': undefined,
      '/any': 8, '/x1/arr': 9, '/x2/arr': 10, '/m': 11, '/files/a/b': 12, '/none': undefined, '/v1': undefined, '': undefined, '/m//n/run': name === 'Express 4' ? 2 : undefined,
    })
    // A call is priced by the very same route.
    for (const [route, charge] of [['POST /V1/RUN', 1], ['PUT /w/7/run', 3], ['DELETE /any', 8]] as const) expect((await rig.call(route)).headers['credits-charged']).toBe(String(charge))
    expect((await rig.call('GET /v1/run/estimate')).status).toBe(404)
  })

  it('are asked with the route\'s params, and the request\'s own body, query and headers', async () => {
    const price = ({ params, body, query, header }: { params: Record<string, string>; body: unknown; query: Record<string, unknown>; header: (name: string) => string | undefined }) => {
      rig.ran.push(JSON.stringify([params, body, query, header('x-count')]))
      return 1
    }
    const anything = { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } }
    const route = { product: 'p', price, body: anything }
    const rig = open({ prices: { 'POST /orgs/:org/teams/:team/run': route, 'POST /orgs/:org/only/:item': route, [`POST /all/${rest}`]: route } as never })
    rig.app.use(rig.bill)
    const [merged, alone] = [express.Router({ mergeParams: true }), express.Router()]
    const handler: RequestHandler = (_req, res) => res.json({})
    merged.post('/:team/run', handler)
    alone.post('/:item', handler)
    rig.app.use('/orgs/:org/teams', merged)
    rig.app.use('/orgs/:org/only', alone)
    rig.app.post(`/all/${rest}`, handler)
    for (const path of ['/orgs/a%20b/teams/c/run', '/orgs/a/only/b', '/all/x/y']) {
      const sent = { headers: { 'x-count': '3' }, body: { n: 1 } }
      expect((await rig.call(`POST ${path}?q=2`, sent)).status).toBe(200)
      expect((await rig.call(`POST ${path}/estimate?q=2`, sent)).json).toMatchObject({ estimatedMaxCredits: 1 })
      expect(rig.ran).toHaveLength(2)
      const [called, estimated] = rig.ran.splice(0)
      expect(estimated).toBe(called)
    }
  })

  it('are given where the app has no answer of its own at that very path', async () => {
    const rig = open({ prices: {
      ...priced('POST /own', 'POST /listed', 'POST /listed/estimate', 'POST /r/own', 'POST /items', 'POST /items/:id', 'POST /got'), 'POST /freed/estimate': 'free', 'POST /freed': { product: 'p', price: 1 },
    } })
    const { app } = rig
    const own: RequestHandler = (_req, res) => res.json({ own: true })
    app.use(rig.bill)
    app.all(name === 'Express 4' ? '*' : '/*all', (_req, _res, next) => next())
    for (const path of ['/own', '/listed', '/freed', '/items', '/items/:id', '/got']) app.post(path, rig.handler('ran'))
    for (const path of ['/own/estimate', '/listed/estimate', '/freed/estimate']) app.post(path, own)
    app.get('/got/estimate', own)
    const router = express.Router()
    router.post('/own', rig.handler('ran'))
    router.route('/:any/estimate').post(own)
    app.use('/r', router)
    for (const path of ['/own', '/listed', '/freed', '/r/own']) expect((await rig.call(`POST ${path}/estimate`)).json).toMatchObject({ own: true })
    expect(await rig.charges()).toEqual([3])
    expect(await estimateOf(rig, '/items')).toBe(5)
    expect(await estimateOf(rig, '/items/7')).toBe(6)
    expect(await estimateOf(rig, '/got')).toBe(7)
    expect(rig.ran).toEqual([])
  })

  it('are none of a route that is free, not listed or not behind billing', async () => {
    const rig = open({ prices: { ...priced('GET /both', 'POST /early', 'POST /items/:id'), 'POST /both': 'free', 'POST /items/free': 'free', 'POST /free': 'free' } })
    const { app } = rig
    app.post('/early', rig.handler('early'))
    app.use(rig.bill)
    for (const path of ['/free', '/unlisted', '/items/free', '/items/:id']) app.post(path, rig.handler('ran'))
    app.route('/both').get(rig.handler('ran')).post(rig.handler('ran'))
    await expectEstimates(rig, { '/free': undefined, '/unlisted': undefined, '/early': undefined, '/items/free': undefined, '/items/x': 3, '/both': 1 })
  })

  it('are of billable routes too, which win over the price book', async () => {
    const rig = open({ prices: priced('POST /run') })
    rig.app.use(rig.bill)
    const router = express.Router()
    router.post('/run', billable({ product: 'p', price: 7 }), rig.handler('ran'))
    router.get('/read/:id', billable({ product: 'p', price: ({ params }) => Number(params['id']) }), rig.handler('ran'))
    rig.app.use('/r', router)
    rig.app.post('/run', billable({ product: 'p', price: 8 }), rig.handler('ran'))
    await expectEstimates(rig, { '/r/run': 7, '/r/read/5': 5, '/run': 8 })
  })

  it('are of a POST before any other method', async () => {
    const rig = open({ prices: priced('GET /run', 'POST /run', 'PUT /run') })
    rig.app.use(rig.bill)
    rig.app.get('/run', rig.handler('ran'))
    rig.app.route('/run').put(rig.handler('ran')).post(rig.handler('ran'))
    await expectEstimates(rig, { '/run': 2 })
  })

  it('learn from the calls of a billable route, however those are spelled', async () => {
    const rig = open()
    rig.app.use(rig.bill)
    const router = express.Router({ mergeParams: true })
    router.post('/run', billable({ product: 'p', price: 4, charge: () => 2 }), (_req, res) => {
      res.json({})
    })
    rig.app.use('/w/:id', router)
    for (let i = 0; i < 20; i++) await rig.call(`POST ${i % 2 ? '/w' : '/W'}/${i}/run`)
    expect((await rig.call('POST /w/7/run/estimate')).json).toMatchObject({ estimatedCredits: 2, estimatedMaxCredits: 4 })
  })

  it('are of routes that were registered late, and of those below a mount of billing\'s own', async () => {
    const rig = open({ prices: priced('POST /api/run', 'POST /api', 'POST /other', 'POST /in/run') })
    rig.app.use('/api', rig.bill)
    expect((await rig.call('POST /api/run/estimate')).status).toBe(404)
    const router = express.Router()
    router.post('/run', rig.handler('ran'))
    router.post('/', rig.handler('ran'))
    rig.app.use('/api', router)
    rig.app.post('/other', rig.handler('ran'))
    const sub = express()
    sub.use(rig.bill)
    sub.post('/run', rig.handler('ran'))
    rig.app.use('/in', sub)
    await expectEstimates(rig, { '/api/run': 1, '/API/run': 1, '/api': 2, '/other': undefined, '/in/run': 4 })
  })

  it('ask who it is, and can be moved or turned off', async () => {
    const options = { account: () => undefined, prices: priced('POST /run') }
    const rig = open(options)
    rig.app.use(rig.bill)
    rig.app.post('/run', rig.handler('ran'))
    expect((await rig.call('POST /run/estimate')).status).toBe(401)
    const moved = open({ prices: priced('POST /run'), endpoints: { estimate: '/quote' } })
    moved.app.use(moved.bill)
    moved.app.post('/run', moved.handler('ran'))
    expect((await moved.call('POST /run/quote')).json).toMatchObject({ estimatedMaxCredits: 1 })
    expect((await moved.call('POST /run/estimate')).status).toBe(404)
    const off = open({ prices: priced('POST /run'), endpoints: { estimate: false } })
    off.app.use(off.bill)
    off.app.post('/run', off.handler('ran'))
    await expectEstimates(off, { '/run': undefined })
  })

  it('pass a fault of the account option on as an error', async () => {
    const rig = open({ account: () => {
      throw new Error('no directory')
    }, prices: priced('POST /run') })
    rig.app.use(rig.bill)
    rig.app.post('/run', rig.handler('ran'))
    expect((await rig.call('POST /run/estimate')).status).toBe(500)
  })
})
