import type { Route } from '@farebox/hono'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { Hono as Quick } from 'hono/quick'
import { Hono as Tiny } from 'hono/tiny'
import { routePath } from 'hono/route'
import { LinearRouter } from 'hono/router/linear-router'
import { PatternRouter } from 'hono/router/pattern-router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { TrieRouter } from 'hono/router/trie-router'
import { validator } from 'hono/validator'
import { describe, expect, it } from 'vitest'
import { rigged, type Rig } from './hono-rig.js'

/** Prices that tell the routes apart, so that a charge says which route it is for. */
const priced = (...keys: string[]): Record<string, Route> => Object.fromEntries(keys.map((key, i) => [key, { product: 'p', price: i + 1 }]))

const routers = {
  'the default router': () => new Hono().router,
  RegExpRouter: () => new RegExpRouter<never>(),
  TrieRouter: () => new TrieRouter<never>(),
  LinearRouter: () => new LinearRouter<never>(),
  PatternRouter: () => new PatternRouter<never>(),
  'the router of hono/quick': () => new Quick().router,
  'the router of hono/tiny': () => new Tiny().router,
} as const

type Say = (key: string) => (c: Context) => Response

interface Group {
  readonly prices: Record<string, 'free' | Route>
  readonly paths: readonly string[]
  /** Keys whose handler another one hides from every request. */
  readonly hidden?: readonly string[]
  /** Routers that refuse these paths when they are registered. */
  readonly unfit?: readonly string[]
  /** A status that Hono answers of itself, where a handler of the group is reached but does not say so. */
  readonly refuses?: number
  add(app: Hono, say: Say): void
}

const tick: MiddlewareHandler = (_, next) => next()

/** The key that a handler of several methods answers for. */
const keyed = (c: Context, path: string) => `${c.req.method === 'HEAD' ? 'GET' : c.req.method} ${path}`

/** Groups of routes that every router can hold at once. */
const groups: Record<string, Group> = {
  'free beside paid': {
    prices: { ...priced('GET /v1/items/:id', 'GET /v2/items/special'), 'GET /v1/items/special': 'free', 'GET /v2/items/:id': 'free' },
    paths: ['/v1/items/special', '/v1/items/x', '/v2/items/special', '/v2/items/x'],
    unfit: ['RegExpRouter'],
    add(app, say) {
      app.get('/v1/items/special', say('GET /v1/items/special'))
      app.get('/v1/items/:id', say('GET /v1/items/:id'))
      app.get('/v2/items/special', say('GET /v2/items/special'))
      app.get('/v2/items/:item', say('GET /v2/items/:id'))
    },
  },
  'plain paths, parameters and methods': {
    prices: {
      ...priced('POST /v1/run', 'GET /v1/run', 'GET /num/:n{[0-9]+}', 'GET /opt/:id?', 'POST /a', 'POST /b', 'POST /any', 'GET /q/:x', 'HEAD /head'),
      'GET /any': 'free', 'GET /a': 'free', 'GET /head': 'free',
    },
    paths: ['/v1/run', '/num/12', '/num/x', '/opt', '/opt/x', '/a', '/b', '/any', '/q/x', '/head', '/none'],
    add(app, say) {
      app.post('/v1/run', say('POST /v1/run')).get(say('GET /v1/run'))
      app.get('/num/:n{[0-9]+}', say('GET /num/:n{[0-9]+}'))
      app.get('/opt/:id?', say('GET /opt/:id?'))
      app.on(['get', 'POST'], ['/a', '/b'], (c) => say(keyed(c, routePath(c)))(c))
      app.all('/any', (c) => say(keyed(c, '/any'))(c))
      app.get('/q/:x', say('GET /q/:x'))
      app.get('/head', (c) => say(`${c.req.method} /head`)(c))
    },
  },
  'sub-apps and base paths': {
    prices: { ...priced('POST /orgs/:org/run', 'GET /own/x', 'GET /own/broken', 'GET /base/run', 'GET /twice/one/x', 'GET /deep/er/x'), 'GET /twice/two/x': 'free' },
    paths: ['/orgs/o/run', '/own/x', '/own/broken', '/base/run', '/twice/one/x', '/twice/two/x', '/deep/er/x', '/deep/x'],
    add(app, say) {
      app.route('/orgs/:org', new Hono().post('/run', say('POST /orgs/:org/run')))
      const own = new Hono().get('/x', say('GET /own/x')).get('/broken', (c) => {
        say('GET /own/broken')(c)
        throw new Error('broken')
      })
      own.onError((_, c) => c.text('own', 500))
      app.route('/own', own)
      app.basePath('/base').get('/run', say('GET /base/run'))
      const shared = new Hono().get('/x', (c) => say(`GET ${routePath(c)}`)(c))
      app.route('/twice/one', shared).route('/twice/two', shared)
      app.route('/deep', new Hono().route('/er', new Hono().get('/x', say('GET /deep/er/x'))))
    },
  },
  'several handlers on a route': {
    prices: priced('POST /checked', 'GET /two', 'GET /spread', 'POST /spread'),
    paths: ['/checked', '/two', '/spread'],
    add(app, say) {
      const checked = say('POST /checked')
      app.use('/checked', tick)
      app.post('/checked', (c, next) => {
        checked(c)
        return next()
      }, validator('query', (value, c) => (value['bad'] ? c.text('bad', 400) : value)), tick, checked)
      app.get('/two', tick, (c, _next) => Promise.resolve(say('GET /two')(c)))
      app.on(['GET', 'POST'], '/spread', (...args) => say(keyed(args[0], '/spread'))(args[0]))
    },
  },
  'wildcards and shadows': {
    prices: {
      ...priced('GET /wild/*', 'GET /hidden/paid', 'GET /over/*', 'GET /pass/*', 'GET /pass/dear', 'GET /guard/*', 'GET /star/*/end', 'POST /wild/*'),
      'GET /wild/free': 'free', 'GET /hidden/*': 'free', 'GET /over/free': 'free', 'GET /pass/free': 'free', 'GET /guard/free': 'free',
    },
    hidden: ['GET /hidden/paid', 'GET /over/free'],
    paths: ['/wild/free', '/wild/x', '/wild/x/y', '/wild', '/hidden/paid', '/over/free', '/over/x', '/pass/free', '/pass/dear', '/pass/x', '/pass/unlisted', '/guard/free', '/guard/x', '/guard/unlisted', '/star/1/end'],
    add(app, say) {
      app.use('/wild/*', tick)
      app.get('/wild/free', say('GET /wild/free'))
      app.all('/wild/*', (c) => say(keyed(c, '/wild/*'))(c))
      app.get('/hidden/*', say('GET /hidden/*'))
      app.get('/hidden/paid', say('GET /hidden/paid'))
      app.get('/over/*', say('GET /over/*'))
      app.get('/over/free', say('GET /over/free'))
      app.get('/pass/*', (c, next) => {
        say('GET /pass/*')(c)
        return next()
      })
      app.get('/pass/free', say('GET /pass/free'))
      app.get('/pass/dear', say('GET /pass/dear'))
      app.get('/pass/unlisted', say('GET /pass/unlisted'))
      app.use('/guard/*', tick, tick).get('/guard/*', tick)
      app.get('/guard/free', say('GET /guard/free'))
      app.get('/guard/unlisted', say('GET /guard/unlisted'))
      app.get('/guard/*', (c, _next) => Promise.resolve(say('GET /guard/*')(c)))
      app.get('/star/*/end', say('GET /star/*/end'))
    },
  },
  'a mounted app': {
    prices: priced('POST /mounted/*', 'GET /mounted/*'),
    paths: ['/mounted', '/mounted/x'],
    refuses: 400,
    add(app, say) {
      app.on(['GET', 'POST'], '/mounted/*', (c, next) => {
        say(keyed(c, '/mounted/*'))(c)
        return next()
      })
      app.mount('/mounted', (request: Request) => new Response(request.method))
    },
  },
}

/** Ways of writing a target that a router may or may not take for the same. */
function spellings(path: string): string[] {
  const cut = path.lastIndexOf('/') + 1
  return [
    path, path.toUpperCase(), `${path}/`, path.replace('/', '//'), `${path.slice(0, cut)}x/../${path.slice(cut)}`,
    path.slice(0, cut) + escaped(path[cut]) + path.slice(cut + 1), path.replaceAll('/', '%2f').replace('%2f', '/'), `${path}?bad=1`,
  ]
}

const escaped = (char = 'x') => `%${char.charCodeAt(0).toString(16)}`

/** Targets as only a socket sends them. */
function targets(path: string): string[] {
  const cut = path.lastIndexOf('/') + 1
  return [
    path, `${path}/`, path.slice(0, cut) + escaped(path[cut]) + path.slice(cut + 1), `${path.slice(0, cut)}./${path.slice(cut)}`, `${path.slice(0, cut)}x/%2e%2e/${path.slice(cut)}`, `/..${path}`, `${path}#fragment`, `${path}%00`,
    `${path}\\`, `http://other.example${path}`, `HTTPS://u:p@OTHER.example:1${path}?q`, `ftp://x${path}`, path.slice(1),
  ]
}

const METHODS = ['GET', 'HEAD', 'POST']

type Send = (rig: Rig, method: string, target: string, account: string) => Promise<number>

/**
 * Tries each request on three apps: without billing, which says what Hono runs; with credits; without any. Where
 * paid handlers run, the last listed one is paid; where credits are missing, none of them runs; and nothing is ever
 * reserved where none is reached.
 */
async function holds(open: (options: object) => Rig, { prices, add, paths, refuses, hidden = [] }: Group, send: Send, spell = spellings): Promise<void> {
  const built = (options: object, billed: boolean): Rig => {
    const rig = open({ prices, ...options })
    rig.app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text('broken', 500)))
    if (billed) rig.app.use(rig.bill)
    add(rig.app as Hono, (key) => (c) => {
      rig.ran.push(key)
      return c.text(key)
    })
    return rig
  }
  const [bare, rich, poor] = [built({}, false), built({}, true), built({ allowance: 0 }, true)] as const
  const seen = new Set<string>()
  let count = 0
  for (const path of paths) {
    for (const [target, method] of spell(path).flatMap((target) => METHODS.map((method) => [target, method] as const))) {
      const account = String(count++)
      const reserved = rich.store.count('reserve')
      for (const { ran } of [bare, rich, poor]) ran.length = 0
      const [status, withCredits, without] = await Promise.all([bare, rich, poor].map((rig) => send(rig, method, target, account)))
      if (status === undefined || status === refuses) continue
      const paid = bare.ran.filter((key) => priceOf(prices, key) !== undefined)
      const price = priceOf(prices, bare.ran.findLast((key) => key in prices) ?? '')

      const got = {
        status: withCredits, ran: [...rich.ran], charges: await rich.charges(account), reserved: rich.store.count('reserve') - reserved,
        poor: without, poorRan: [...poor.ran],
      }
      const wanted: typeof got = {
        status, ran: [...bare.ran], charges: price === undefined || status >= 400 ? [] : [price], reserved: new Set(paid).size,
        ...(paid.length > 0 ? { poor: 402, poorRan: bare.ran.slice(0, bare.ran.indexOf(paid[0]!)) } : { poor: status, poorRan: [...bare.ran] }),
      }
      // Thousands of these: `expect` is for the ones that are wrong.
      if (JSON.stringify(got) !== JSON.stringify(wanted)) expect(got, `${method} ${target}`).toEqual(wanted)
      for (const key of bare.ran) seen.add(key)
    }
  }
  // Else the requests tried nothing.
  expect([...seen]).toEqual(expect.arrayContaining(Object.keys(prices).filter((key) => !hidden.includes(key))))
}

function priceOf(prices: Group['prices'], key: string): number | undefined {
  const terms = prices[key]
  return typeof terms === 'object' ? Number(terms.price) : undefined
}

describe.each(Object.entries(groups))('%s', (_name, group) => {
  describe.each(Object.entries(routers).filter(([name]) => !group.unfit?.includes(name)))('%s', (name, router) => {
    // What `strict` lets through is decided before the router is asked: the default router tries both.
    it.each(name === 'the default router' ? [true, false] : [false])('a paid handler runs exactly where there is one charge, strict: %s', async (strict) => {
      await holds((options) => rigged(options, { router: router() as never, strict }), group,
        async (rig, method, target, account) => (await rig.request(method, target, { headers: { 'x-account': account } })).status)
    })
  })

  it('over HTTP, with targets as they are written', async () => {
    await holds((options) => rigged(options, { strict: false }), group,
      async (rig, method, target, account) => (await rig.call(method, target, { headers: { 'x-account': account } })).status, targets)
  }, 30_000)
})
