import Router15 from '@koa/router'
import { billable } from '@farebox/koa'
import type { Context, DefaultContext, Middleware } from 'koa'
import compose from 'koa-compose'
import mount from 'koa-mount'
import Router12 from 'router12'
import Router13 from 'router13'
import Router14 from 'router14'
import { describe, expect, it } from 'vitest'
import { rigs, versions, type Rig } from './koa-rig.js'

const routers = [
  ['@koa/router 15', Router15, '/*path'],
  ['@koa/router 14', Router14, '/*path'],
  ['@koa/router 13', Router13, '/(.*)'],
  ['@koa/router 12', Router12, '/(.*)'],
] as const

/** Prices that tell the routes apart, so that a charge says which route it is for. */
const priced = (...keys: string[]) => Object.fromEntries(keys.map((key, i) => [key, { product: 'p', price: i + 1 }]))

/** Every way of writing a target that a router may or may not take for the same. */
function spellings(path: string): string[] {
  const cut = path.lastIndexOf('/') + 1
  const escape = (char: string) => `%${char.charCodeAt(0).toString(16)}`
  return [
    path, path.toUpperCase(), `${path}/`, `${path}//`, `/${path}`, path.replace('/', '//'), `${path.slice(0, cut)}/${path.slice(cut)}`,
    `${path.slice(0, cut)}./${path.slice(cut)}`, `${path.slice(0, cut)}x/../${path.slice(cut)}`, `${path.slice(0, cut)}x/%2e%2e/${path.slice(cut)}`,
    `/..${path}`, path.slice(0, cut) + escape(path[cut] ?? 'x') + path.slice(cut + 1), path.replaceAll('/', '%2f').replace('%2f', '/'),
    `${path}?x=1`, `${path}#fragment`, `${path}?`, `${path};a=1`, `${path}%20`, `${path}%00`, `${path}/%`, `${path}.`, `${path}\\`,
    `http://other.example${path}`, `HTTPS://OTHER.example:1${path}`, `ftp://x${path}`, `http://u:p@h${path}?q`, path.slice(1),
  ]
}

describe.each(versions)('%s', (version, Koa) => {
  const open = rigs(Koa)

  // How a router dispatches does not depend on Koa: the older ones are tried with one of them.
  describe.each(routers.slice(0, version === 'koa 3' ? 4 : 1))('%s', (_, Router, everything) => {
    it('charges once where a paid handler ran, and nowhere else', async () => {
      const paid = priced(
        'POST /v1/run', 'GET /v1/items/:id', 'GET /v2/items/special', 'POST /orgs/:org/teams/:team/run', 'GET /orgs/:org/teams', 'GET /Strict', 'POST /a', 'POST /b',
        'GET /^\\/fly(ing)?$/', `GET /files${everything}`, 'POST /any', 'GET /m/run', 'GET /m/n/run', 'GET /p1/shared', 'GET /p2/shared', 'GET /late', 'HEAD /head', 'GET /opt',
      )
      const rig = open({ prices: { ...paid, 'GET /v1/items/special': 'free', 'GET /v2/items/:id': 'free', 'GET /any': 'free' } })
      const { app, ran } = rig
      const handler = (key: string) => (ctx: Context) => {
        ran.push(key)
        ctx.body = { key }
      }
      const router = new Router()
      router.post('/v1/run', handler('POST /v1/run'))
      router.get('/v1/items/special', handler('GET /v1/items/special'))
      router.get('/v1/items/:id', handler('GET /v1/items/:id'))
      router.get('/v2/items/special', handler('GET /v2/items/special'))
      router.get('/v2/items/:id', handler('GET /v2/items/:id'))
      router.post(['/a', '/b'], (ctx) => handler(ctx.routerPath === '/a' ? 'POST /a' : 'POST /b')(ctx))
      router.get(/^\/fly(ing)?$/, handler('GET /^\\/fly(ing)?$/'))
      router.get(`/files${everything}`, handler(`GET /files${everything}`))
      router.all('/any', (ctx) => handler(`${ctx.method === 'HEAD' ? 'GET' : ctx.method} /any`)(ctx))
      router.head('/head', handler('HEAD /head'))
      router.get('/unlisted', handler('GET /unlisted'))
      router.get('/opt', async (ctx, next) => { ctx.set('x-opt', '1'); await next() }, handler('GET /opt'))
      const teams = new Router({ prefix: '/teams' })
      teams.post('/:team/run', handler('POST /orgs/:org/teams/:team/run'))
      teams.get('/', handler('GET /orgs/:org/teams'))
      router.use('/orgs/:org', async (_, next) => next(), teams.routes())
      const shared = new Router()
      shared.get('/shared', (ctx) => handler(ctx.path.toLowerCase().startsWith('/p1') ? 'GET /p1/shared' : 'GET /p2/shared')(ctx))
      router.use('/p1', shared.routes())
      router.use('/p2', shared.routes())
      const strict = new Router({ strict: true, sensitive: true })
      strict.get('/Strict', handler('GET /Strict'))

      const inner = new Koa()
      inner.use(new Router().get('/run', handler('GET /m/n/run')).routes())
      const outer = new Koa()
      outer.use(mount('/n', inner))
      outer.use(new Router().get('/run', handler('GET /m/run')).routes())

      app.use(new Router().get('/early', async (_, next) => next()).routes())
      app.use(rig.bill)
      app.use(mount('/m', outer))
      app.use(strict.routes())
      app.use(router.routes())
      app.use(router.allowedMethods())
      app.use(new Router({ host: 'other.example' }).get('/late', handler('GET /late')).routes())
      app.use(new Router().get('/late', handler('GET /late')).routes())

      const paths = [
        '/v1/run', '/v1/items/special', '/v1/items/7', '/v2/items/special', '/v2/items/7', '/orgs/o/teams/t/run', '/orgs/o/teams', '/Strict', '/a', '/b',
        '/fly', '/flying', '/files/a/b', '/files', '/any', '/m/run', '/m/n/run', '/m', '/m/n', '/n/run', '/run', '/p1/shared', '/p2/shared', '/late', '/early', '/head', '/unlisted', '/opt', '/none',
      ]
      const seen = new Set<string>()
      let charged = 0
      const check = async (method: string, target: string, host: string) => {
        ran.length = 0
        await rig.call(method, target, { headers: { host } })
        const due = ran.filter((key) => paid[key]).map((key) => paid[key]!.price)
        expect({ method, target, host, charges: await rig.charges() }).toEqual({ method, target, host, charges: due })
        charged += due.length
        ran.forEach((key) => seen.add(key))
      }
      for (const path of paths) {
        for (const method of ['OPTIONS', 'PUT', 'GET']) await check(method, path, 'other.example')
        for (const target of new Set(spellings(path))) for (const method of target === path ? ['GET', 'POST', 'HEAD'] : ['GET', 'POST']) await check(method, target, 'h')
      }
      expect(Object.keys(paid).filter((key) => !seen.has(key)), 'paid routes that no request reached').toEqual([])
      expect(charged).toBeGreaterThan(150)
    }, 60_000)

    it('gates routers with parameters in their prefix, and prices see every parameter', async () => {
      const seen: unknown[] = []
      const rig = open({ prices: { 'GET /orgs/:org/jobs/:job': { product: 'p', price: ({ params }) => (seen.push({ ...params }), 2) } } })
      rig.app.use(rig.bill)
      rig.app.use(new Router({ prefix: '/orgs/:org' }).use(async (_, next) => next()).get('/jobs/:job', (ctx) => { ctx.body = ctx.params }).routes())
      await rig.call('GET', '/orgs/a%20b/jobs/7')
      expect(seen).toEqual([{ org: 'a b', job: '7' }])
      expect(await rig.charges()).toEqual([2])
    })

    it('runs no handler of a call it refuses, and none behind it', async () => {
      const rig = open({ allowance: 1, prices: { 'POST /run': { product: 'p', price: 2 } } })
      rig.app.use(rig.bill)
      const handler: Middleware = async (_, next) => {
        rig.ran.push('handler')
        await next()
      }
      rig.app.use(new Router().param('x', handler as never).post('/run', handler, handler).post('/run', handler).routes())
      rig.app.use(handler)
      const { status, text, headers } = await rig.call('POST', '/run')
      expect({ status, body: JSON.parse(text) as unknown, type: headers['content-type'], charged: headers['credits-charged'] }).toMatchObject({
        status: 402, body: { error: { code: 'PAYMENT_REQUIRED', message: 'insufficient credits' } }, type: 'application/json', charged: '0',
      })
      expect(rig.ran).toEqual([])
    })

    it('is paid by the last listed route that a request is passed on to', async () => {
      const rig = open({ prices: priced('GET /:any', 'GET /x') })
      rig.app.use(rig.bill)
      const router = new Router()
      router.get('/:any', async (_, next) => next())
      router.get('/x', (ctx) => { ctx.body = 'x' })
      rig.app.use(router.routes())
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([2])
      await rig.call('GET', '/y')
      expect(await rig.charges()).toEqual([])
    })

    it('is paid by a listed route that has responded and passes the request on all the same', async () => {
      for (const respond of [(ctx: Context) => { ctx.body = 'x' }, (ctx: Context) => { ctx.status = 202 }, (ctx: Context) => { ctx.flushHeaders() }, (ctx: Context) => { ctx.respond = false; setImmediate(() => ctx.res.end()) }]) {
        const rig = open({ prices: { ...priced('GET /:any'), 'GET /x': 'free' } })
        rig.app.use(rig.bill)
        rig.app.use((ctx, next) => {
          ctx.status = 200
          return next()
        })
        const router = new Router()
        router.get('/:any', async (ctx, next) => {
          respond(ctx)
          await next()
        })
        router.get('/x', () => {})
        rig.app.use(router.routes())
        await rig.call('GET', '/x')
        expect(await rig.charges()).toEqual([1])
      }
    })

    it('takes a body from before the route for no response of the route', async () => {
      const rig = open({ prices: { ...priced('GET /:any'), 'GET /x': 'free' } })
      rig.app.use(rig.bill)
      rig.app.use(async (ctx, next) => {
        ctx.body = 'default'
        ctx.respond = false
        await next()
        ctx.res.end('default')
      })
      rig.app.use(new Router().get('/:any', (_, next) => next()).get('/x', () => {}).routes())
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([])
    })

    it('is paid by a route behind a free one that has responded, and a body from before both is no response', async () => {
      const rig = open({ prices: { ...priced('GET /x'), 'GET /:any': 'free' } })
      rig.app.use(rig.bill)
      rig.app.use(async (ctx, next) => {
        ctx.body = 'default'
        await next()
      })
      const router = new Router()
      router.get('/:any', async (ctx, next) => {
        ctx.body = 'free'
        await next()
      })
      router.get('/x', (ctx) => { ctx.body = 'paid' })
      rig.app.use(router.routes())
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([1])
    })

    it('gates a request that several routers see, the first of them before billing', async () => {
      const rig = open({ prices: priced('GET /x') })
      const other = new Router().get('/other', () => {}).routes()
      rig.app.use(other).use(rig.bill).use(other).use(new Router().get('/x', (ctx) => { ctx.body = 'x' }).routes())
      await rig.call('GET', '/x')
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([1, 1])
    })

    it('asks with the method that the router matched', async () => {
      const rig = open({ prices: { ...priced('POST /x'), 'GET /x': 'free' } })
      rig.app.use(rig.bill)
      const router = new Router()
      router.use(async (ctx, next) => {
        ctx.method = 'GET'
        await next()
      })
      router.post('/x', (ctx) => { ctx.body = 'x' })
      rig.app.use(router.routes())
      await rig.call('POST', '/x')
      expect(await rig.charges()).toEqual([1])
      const overridden = open({ prices: { ...priced('POST /x'), 'GET /x': 'free' } })
      overridden.app.use(overridden.bill)
      overridden.app.use(async (ctx, next) => {
        ctx.method = 'POST'
        await next()
      })
      overridden.app.use(router.routes())
      await overridden.call('GET', '/x')
      expect(await overridden.charges()).toEqual([1])
    })

    it('takes no route for reached that another method has before billing', async () => {
      const rig = open({ prices: priced('GET /:any') })
      rig.app.use(new Router().post('/:any', () => {}).routes()).use(rig.bill).use((ctx) => { ctx.body = 'plain' })
      await rig.call('GET', '/x')
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([])
    })

    it('gates where billing is used in a router, from the first request on and when they come together', async () => {
      const rig = open({ prices: { 'GET /in/:id': { product: 'p', price: ({ params }) => Number(params['id']) } } })
      const router = new Router({ prefix: '/in' })
      router.use(async (_, next) => {
        await new Promise(setImmediate)
        await next()
      })
      router.use(rig.bill)
      router.get('/:id', (ctx) => { ctx.body = 'x' })
      rig.app.use(router.routes())
      await Promise.all([rig.call('GET', '/in/1'), rig.call('GET', '/in/2'), rig.call('GET', '/in/3')])
      await rig.call('GET', '/in/4')
      expect((await rig.charges()).sort()).toEqual([1, 2, 3, 4])
      expect((await rig.call('GET', '/in/500000')).status).toBe(402)
    })

    it('gates where billing is used on a route', async () => {
      const rig = open({ prices: priced('GET /x') })
      rig.app.use(new Router().get('/x', rig.bill, (ctx) => { ctx.body = 'x' }).routes())
      await rig.call('GET', '/x')
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([1, 1])
    })

    it.each(['/a/b/x?y=/x', 'http://h/a/b/x'])('gates where billing is used in a mounted app, by the path from the root: %s', async (first) => {
      const rig = open({ prices: priced('GET /a/b/x') })
      const inner = new Koa()
      inner.use(rig.bill).use(new Router().get('/x', (ctx) => { ctx.body = 'x' }).routes())
      const outer = new Koa()
      outer.use(mount('/b', inner))
      rig.app.use(mount('/a', outer))
      await rig.call('GET', first)
      await rig.call('GET', '/a/b/x')
      expect(await rig.charges()).toEqual([1, 1])
      expect((await rig.call('GET', '/a/b/v1/credits/balance')).status).toBe(200)
      expect((await rig.call('GET', '/v1/credits/balance')).status).toBe(404)
    })

    it('knows which mounts a request is in when paths are rewritten and mounts are left', async () => {
      const rig = open({ prices: priced('GET /a/new', 'GET /root') })
      const rewrite = (from: string, to: string): Middleware => async (ctx, next) => {
        if (ctx.path === from) ctx.path = to
        await next()
      }
      const inside = new Koa()
      inside.use(rewrite('/old', '/new')).use(new Router().get('/new', (ctx) => { ctx.body = 'x' }).routes())
      rig.app.use(mount('/a', new Koa().use(async (_, next) => next())))
      rig.app.use(rig.bill)
      rig.app.use(rewrite('/beta/old', '/a/old'))
      rig.app.use(mount('/a', inside))
      rig.app.use(rewrite('/a/root', '/root'))
      rig.app.use(new Router().get('/root', (ctx) => { ctx.body = 'x' }).routes())
      for (const path of ['/a/root', '/beta/old', '/a/old', '/a/new', '/root', '/a/root']) expect((await rig.call('GET', path)).status).toBe(200)
      expect(await rig.charges()).toEqual([2, 1, 1, 1, 2, 2])
    })

    it('billable prices its route, and wins over the price book', async () => {
      const rig = open({ prices: priced('GET /x') })
      rig.app.use(rig.bill)
      const router = new Router()
      router.get('/x', billable({ product: 'p', price: 7 }), (ctx) => { ctx.body = 'x' })
      router.get('/y', billable({ product: 'p', price: 8 }), (ctx) => { ctx.body = 'y' })
      rig.app.use(router.routes())
      await rig.call('GET', '/x')
      await rig.call('HEAD', '/y')
      expect(await rig.charges()).toEqual([7, 8])
    })

    it('reports what is sold, what is not, and what it cannot see', async () => {
      const rig = open({ prices: { ...priced('GET /early', 'GET /x', 'POST /o/:id/run', 'POST /missing', 'DELETE /all'), 'GET /health': 'free' } })
      const nested = new Router().post('/:name/run', () => {})
      const router = new Router()
      router.get('/x', () => {}).get('/health', () => {}).get('/unlisted', () => {}).all('/all', () => {})
      router.use('/o', nested.routes())
      router.put('/b', billable({ product: 'b', price: 3 }), () => {})
      rig.app.use(new Router().get('/early', (ctx) => { ctx.body = 'early' }).routes())
      rig.app.use(rig.bill).use(async (_, next) => next()).use(router.routes()).use(router.allowedMethods())
      rig.app.use(mount('/m', new Koa())).use(compose([async (_, next) => next()])).use(function last() {})
      const report = rig.bill.routes(rig.app)
      expect(report).toEqual({
        priced: [
          { route: 'GET /x', product: 'p', price: '2 credits' },
          { route: 'DELETE /all', product: 'p', price: '5 credits' },
          { route: 'POST /o/:id/run', product: 'p', price: '3 credits' },
          { route: 'PUT /b', product: 'b', price: '3 credits' },
        ],
        free: ['GET /health'],
        unlisted: ['GET /unlisted'],
        unmatched: ['POST /missing'],
        before: ['GET /early'],
        opaque: ['app.middleware[5] (a function without a name)', 'app.middleware[6] (a function without a name)', 'app.middleware[7] (last)'],
      })
      await rig.call('GET', '/early')
      expect(rig.warnings).toEqual([])
      await rig.call('GET', '/x')
      await rig.call('GET', '/x')
      expect(rig.warnings).toHaveLength(5)
    })

    it('sees billing that is used in a router, and assumes no fault where it may be inside of something', () => {
      const used = open({ prices: priced('GET /x', 'GET /y') })
      used.app.use(new Router().get('/y', () => {}).use(used.bill).get('/x', () => {}).routes())
      expect(used.bill.routes(used.app)).toMatchObject({ priced: [{ route: 'GET /x' }], before: ['GET /y'] })
      const composed = open({ prices: priced('GET /x') })
      composed.app.use(compose([composed.bill])).use(new Router().get('/x', () => {}).routes())
      expect(composed.bill.routes(composed.app)).toMatchObject({ priced: [{ route: 'GET /x' }], before: [] })
      const absent = open({ prices: priced('GET /x') })
      absent.app.use(new Router().get('/x', () => {}).routes())
      expect(absent.bill.routes(absent.app)).toMatchObject({ priced: [], before: ['GET /x'] })
    })
  })

  it('refuses unlisted routes where it is told to, and leaves what has no route alone', async () => {
    const rig = open({ unlisted: 'refuse', prices: priced('GET /x') })
    rig.app.use(new Router15().get('/early', async (_, next) => next()).routes())
    rig.app.use(rig.bill).use(new Router15().get('/y', (ctx) => { ctx.body = 'y' }).routes())
    rig.app.use((ctx) => { ctx.body = 'plain' })
    expect((await rig.call('GET', '/y')).status).toBe(500)
    expect((await rig.call('GET', '/early')).text).toBe('plain')
    expect((await rig.call('GET', '/z')).text).toBe('plain')
  })

  it('refuses no unlisted route that is billable', async () => {
    const rig = open({ unlisted: 'refuse' })
    rig.app.use(rig.bill).use(new Router15().get('/x', (_, next) => next(), billable({ product: 'p', price: 1 }), (ctx) => { ctx.body = 'x' }).routes())
    expect((await rig.call('GET', '/x')).text).toBe('x')
    expect(await rig.charges()).toEqual([1])
  })

  it('bills once where it is mounted twice, and says so once', async () => {
    const rig: Rig = open({ prices: priced('GET /x') })
    rig.app.use(rig.bill).use(rig.bill).use(new Router15().get('/x', (ctx) => { ctx.body = 'x' }).routes())
    await rig.call('GET', '/x')
    await rig.call('GET', '/x')
    expect(await rig.charges()).toEqual([1, 1])
    expect(rig.warnings.filter((warning) => warning.includes('twice'))).toHaveLength(1)
  })

  it('runs nothing where a request meets two different billings', async () => {
    const rig: Rig = open({ prices: priced('GET /x') })
    const second = open({ prices: priced('GET /y'), store: rig.store as never })
    const ran: string[] = []
    rig.app.use(rig.bill).use(second.bill).use(new Router15().get(['/x', '/y'], (ctx) => { ran.push(ctx.path) }).routes())
    for (const path of ['/x', '/y']) expect((await rig.call('GET', path)).status).toBe(500)
    expect(rig.thrown).toMatchObject([{ code: 'BILLING_MOUNTED_TWICE' }, { code: 'BILLING_MOUNTED_TWICE' }])
    expect(ran).toEqual([])
    expect(await rig.charges()).toEqual([])
  })

  it('billable without billing fails, and says what to do', async () => {
    const rig = open()
    rig.app.use(new Router15().get('/x', billable({ product: 'p', price: 1 }), () => { rig.ran.push('x') }).routes())
    expect((await rig.call('GET', '/x')).status).toBe(500)
    expect(rig.thrown).toMatchObject([{ code: 'BILLING_NOT_MOUNTED', message: expect.stringContaining('GET /x') as string }])
    expect(rig.ran).toEqual([])
  })

  it('works for a router that two apps use, one of them without billing', async () => {
    const rig = open({ prices: priced('GET /x') })
    const bare = open()
    const router = new Router15().get('/x', (ctx) => { ctx.body = 'x' })
    rig.app.use(rig.bill).use(router.routes())
    bare.app.use(router.routes())
    await rig.call('GET', '/x')
    expect((await bare.call('GET', '/x')).text).toBe('x')
    await rig.call('GET', '/x')
    expect(await rig.charges()).toEqual([1, 1])
  })

  it('gates a router that is given a context made from another', async () => {
    const rig = open({ prices: priced('GET /x') })
    const routes = new Router15().get('/x', (ctx) => { ctx.body = 'x' }).routes()
    rig.app.use(rig.bill).use((ctx, next) => routes(Object.create(ctx) as never, next))
    for (let i = 0; i < 2; i++) expect((await rig.call('GET', '/x')).text).toBe('x')
    expect(await rig.charges()).toEqual([1, 1])
  })

  it('settles a route that a middleware did not wait for', async () => {
    const rig = open({ prices: priced('GET /x') })
    rig.app.use(rig.bill).use((ctx, next) => {
      ctx.respond = false
      void next()
    })
    rig.app.use(new Router15().get('/x', async (ctx) => {
      await new Promise(setImmediate)
      ctx.res.statusCode = 200
      ctx.res.end('x')
    }).routes())
    expect((await rig.call('GET', '/x')).text).toBe('x')
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([1])
  })

  it('refuses where a middleware before the route meant to write the response itself', async () => {
    const rig = open({ allowance: 0, prices: priced('GET /x') })
    rig.app.use(rig.bill).use((ctx, next) => {
      ctx.respond = false
      return next()
    })
    rig.app.use(new Router15().get('/x', (ctx) => { ctx.res.end('x') }).routes())
    expect((await rig.call('GET', '/x')).status).toBe(402)
  })

  it('leaves accessors of others on an app alone', async () => {
    const rig = open({ prices: priced('GET /x') })
    const seen: unknown[] = []
    Object.defineProperty(rig.app.context, 'router', { configurable: true, set(router) { seen.push(router) } })
    const router = new Router15().get('/x', (ctx) => { ctx.body = 'x' })
    rig.app.use(rig.bill).use(router.routes())
    await rig.call('GET', '/x')
    expect(seen).toEqual([router])
    expect(await rig.charges()).toEqual([1])
  })

  it('is taken without a cast by apps and routers with types of their own', async () => {
    interface State {
      user?: { id: string }
    }
    interface Closed {
      tenant: string
    }
    interface Open extends Closed, DefaultContext {}
    const rig = open({ account: (ctx) => (ctx.state as State).user?.id, prices: priced('GET /x') })
    const app = new Koa<State, Closed>()
    app.use(rig.bill).use(new Router15<State, Closed>().get('/x', billable({ product: 'x', price: 1 }), (ctx) => { ctx.body = ctx.tenant }).routes())
    const other = new Koa<State, Open>()
    other.use(new Router15<State, Open>().use(rig.bill).get('/x', (ctx) => { ctx.body = ctx.tenant }).routes())
    expect(rig.bill.routes(app).priced).toEqual([{ route: 'GET /x', product: 'x', price: '1 credits' }])
    expect(rig.bill.routes(other).priced).toEqual([{ route: 'GET /x', product: 'p', price: '1 credits' }])
  })

  it('hands on what handlers return', async () => {
    const rig = open({ prices: priced('GET /x') })
    const returned: unknown[] = []
    rig.app.use(async (_, next) => { returned.push(await next()) })
    rig.app.use(rig.bill)
    rig.app.use(async (ctx, next) => (ctx.body = await next() as unknown))
    rig.app.use(new Router15().get('/x', () => ({ returned: true })).routes())
    expect((await rig.call('GET', '/x')).text).toBe('{"returned":true}')
    expect(returned).toEqual([{ returned: true }])
    expect(await rig.charges()).toEqual([1])
  })
})
