import { bodyParser } from '@koa/bodyparser'
import Router15 from '@koa/router'
import { billable } from '@farebox/koa'
import type { Context, Middleware } from 'koa'
import compose from 'koa-compose'
import mount from 'koa-mount'
import Router12 from 'router12'
import Router13 from 'router13'
import Router14 from 'router14'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rigs, versions, type Rig } from './koa-rig.js'

const routers = [['@koa/router 15', Router15], ['@koa/router 14', Router14], ['@koa/router 13', Router13], ['@koa/router 12', Router12]] as const

const Input = z.object({ count: z.number() })
const counted = { product: 'p', body: Input, price: ({ body }: { body: z.infer<typeof Input> }) => body.count }
const fixed = (price: number) => ({ product: 'p', price })

describe.each(versions)('%s', (version, Koa) => {
  const open = rigs(Koa)

  /** Asks for an estimate, and holds that nothing was reserved or charged for it. */
  async function estimate(rig: Rig, path: string, json: unknown = { count: 3 }, headers: Readonly<Record<string, string>> = {}) {
    const reply = await rig.post(path, json, headers)
    expect(rig.store.sent).not.toContain('reserve')
    const body = reply.headers['content-type']?.startsWith('application/json') ? JSON.parse(reply.text) as Record<string, unknown> : undefined
    return { status: reply.status, most: body?.['estimatedMaxCredits'], text: reply.text }
  }

  const runs = (rig: Rig, name: string): Middleware => (ctx) => {
    rig.ran.push(name)
    ctx.body = name
  }

  describe.each(routers.slice(0, version === 'koa 3' ? 4 : 1))('%s', (_, Router) => {
    it('estimates what the app sells, wherever it is registered, and runs no handler', async () => {
      const rig = open({ prices: {
        'POST /run': counted, 'GET /items/:id': { product: 'p', price: ({ params }) => Number(params['id']) }, 'POST /orgs/:org/jobs/:job': { product: 'p', price: ({ params }) => Number(params['org']) + Number(params['job']) },
        'POST /m/n/run': fixed(11), 'GET /p/run': fixed(12), 'GET /both': fixed(13), 'POST /both': fixed(14), 'GET /half': fixed(15), 'POST /half': 'free', 'PUT /any': fixed(16), 'POST /late': fixed(17), 'GET /items/9': 'free',
      } as never })
      const handler = runs(rig, 'handler')
      const orgs = new Router({ prefix: '/orgs/:org' }).use(async (_ctx: Context, next) => next()).post('/jobs/:job', handler)
      const nested = new Router().get('/run', handler)
      const router = new Router()
      router.post('/run', handler).get('/items/9', handler).get('/items/:id', handler).get('/both', handler).post('/both', handler).get('/half', handler).post('/half', handler).all('/any', handler)
      router.post('/sold', billable(fixed(18)), handler)
      router.use('/p', nested.routes())
      const inner = new Koa().use(new Router().post('/run', handler).routes())
      const outer = new Koa().use(mount('/n', inner))
      rig.app.use(rig.bill).use(compose([orgs.routes() as Middleware])).use(mount('/m', outer)).use(router.routes()).use(router.allowedMethods())
      rig.app.use(new Router({ host: '127.0.0.1' }).post('/late', handler).routes())

      const expected = {
        '/run': 3, '/items/7': 7, '/items/a%37': undefined, '/orgs/4/jobs/5': 9, '/m/n/run': 11, '/p/run': 12, '/both': 14, '/half': 15, '/any': 16, '/sold': 18,
        '/items/9': undefined, '/none': undefined, '/n/run': undefined, '/m/run': undefined, '/late': undefined, '/RUN/': 3, '/M/n/run': undefined, '': undefined,
      }
      for (const [path, most] of Object.entries(expected)) expect({ path, most: (await estimate(rig, `${path}/estimate`)).most }).toEqual({ path, most })
      expect((await estimate(rig, '/late/estimate', {}, { host: '127.0.0.1' })).most).toBe(17)
      expect((await rig.call('GET', '/run/estimate')).status).toBe(404)
      expect(rig.ran).toEqual([])
      expect((await rig.call('GET', '/p/run')).headers['credits-charged']).toBe('12')
    })

    it('keeps to the strictness of each router', async () => {
      const rig = open({ prices: { 'POST /Run': fixed(1) } })
      rig.app.use(rig.bill).use(new Router({ strict: true, sensitive: true }).post('/Run', runs(rig, 'handler')).routes())
      expect((await estimate(rig, '/Run/estimate')).most).toBe(1)
      expect((await estimate(rig, '/run/estimate')).status).toBe(404)
      expect((await estimate(rig, '/Run//estimate')).status).toBe(404)
    })

    it('a route of the app\'s own wins, listed or not, before or behind', async () => {
      const rig = open({ prices: { 'POST /a': fixed(1), 'POST /b': fixed(1), 'POST /b/estimate': fixed(2), 'POST /c': fixed(1), 'POST /c/estimate': 'free', 'POST /files/:path(.*)': fixed(3) } })
      rig.app.use(rig.bill)
      rig.app.use(new Router().post('/a', runs(rig, 'a')).post('/b', runs(rig, 'b')).post('/c', runs(rig, 'c')).routes())
      rig.app.use(new Router().post('/:any/estimate', runs(rig, 'own')).routes())
      for (const path of ['/a', '/b', '/c']) expect((await rig.post(`${path}/estimate`)).text).toBe('own')
      expect(rig.ran).toEqual(['own', 'own', 'own'])
    })

    it('is asked as a call would be: by the same account, with the same body', async () => {
      const rig = open({ account: (ctx) => (ctx.state as { user?: string }).user, prices: { 'POST /run': counted } as never, maxCeiling: 10 })
      rig.app.use(rig.bill).use(bodyParser())
      rig.app.use((ctx, next) => {
        ctx.state['user'] = ctx.get('x-account')
        return next()
      })
      rig.app.use(new Router().post('/run', runs(rig, 'handler')).routes())
      expect((await estimate(rig, '/run/estimate')).text).toContain('"withinPlanLimits":true')
      expect((await estimate(rig, '/run/estimate', { count: 11 })).text).toContain('"withinPlanLimits":false')
      expect((await estimate(rig, '/run/estimate', { count: 'x' })).status).toBe(422)
      expect((await estimate(rig, '/run/estimate', {}, { 'x-account': '' })).status).toBe(401)
      expect(rig.ran).toEqual([])
    })
  })

  it.each<[string, Middleware]>([
    ['answers 404', (ctx) => { ctx.status = 404; ctx.body = { error: 'no such route' } }],
    ['throws 404', (ctx) => ctx.throw(404)],
    ['sends a page', (ctx) => { ctx.type = 'html'; ctx.body = '<p>' }],
  ])('is not kept from its answer by what %s for every path without a route', async (_, last) => {
    const rig = open({ prices: { 'POST /run': fixed(2) } })
    rig.app.use(rig.bill).use(new Router15().post('/run', runs(rig, 'handler')).all('/*path', last as never).routes()).use(last)
    expect((await estimate(rig, '/run/estimate')).most).toBe(2)
    expect((await estimate(rig, '/other/estimate')).most).toBeUndefined()
    expect(rig.ran).toEqual([])
  })

  it('a parameter or a wildcard that would take the word as well makes nobody pay for an estimate', async () => {
    const rig = open({ prices: { 'POST /files/*path': fixed(2), 'POST /items': fixed(3), 'POST /items/:id': fixed(9) } })
    rig.app.use(rig.bill).use(new Router15().post('/files/*path', runs(rig, 'upload')).post('/items/:id', runs(rig, 'item')).post('/items', runs(rig, 'items')).routes())
    expect((await estimate(rig, '/files/a/estimate')).most).toBe(2)
    expect((await estimate(rig, '/items/estimate')).most).toBe(3)
    expect(rig.ran).toEqual([])
  })

  it('works where billing is mounted under a path', async () => {
    const rig = open({ prices: { 'POST /api/run': counted, 'POST /api/in': fixed(4), 'POST /run': fixed(9) } as never })
    rig.app.use(mount('/api', compose([rig.bill, new Router15().post('/in', runs(rig, 'in')).routes() as Middleware]) as never))
    rig.app.use(new Router15().post('/api/run', runs(rig, 'run')).post('/run', runs(rig, 'outside')).routes())
    expect((await estimate(rig, '/api/run/estimate')).most).toBe(3)
    expect((await estimate(rig, '/api/in/estimate')).most).toBe(4)
    expect((await estimate(rig, '/run/estimate')).status).toBe(404)
    expect(rig.ran).toEqual([])
  })

  it('there is none for a route that runs unbilled, before billing', async () => {
    const rig = open({ prices: { 'POST /run': fixed(2) } })
    rig.app.use(new Router15().post('/run', runs(rig, 'early')).routes()).use(rig.bill)
    for (let i = 0; i < 2; i++) expect((await estimate(rig, '/run/estimate')).status).toBe(404)
  })

  it('ends as the app says, or not at all', async () => {
    const named = open({ prices: { 'POST /run': fixed(2) }, endpoints: { estimate: '/price' } })
    named.app.use(named.bill).use(new Router15().post('/run', runs(named, 'run')).routes())
    expect((await estimate(named, '/run/price')).most).toBe(2)
    expect((await estimate(named, '/run/estimate')).status).toBe(404)
    const off = open({ prices: { 'POST /run': fixed(2) }, endpoints: { estimate: false } })
    off.app.use(off.bill).use(new Router15().post('/run', runs(off, 'run')).routes())
    expect((await estimate(off, '/run/estimate')).status).toBe(404)
  })

  it('does not change what has left', async () => {
    const rig = open({ prices: { 'POST /run': fixed(2) } })
    rig.app.use(rig.bill).use(new Router15().post('/run', runs(rig, 'run')).routes()).use((ctx) => {
      ctx.respond = false
      ctx.res.write('half')
      setImmediate(() => ctx.res.end(' and half'))
    })
    expect((await estimate(rig, '/run/estimate')).text).toBe('half and half')
  })
})
