import type { Billing, BillingOptions, RouteReport } from '@farebox/core'
import { createEngine, type Engine } from '@farebox/core/adapter'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { basePath } from 'hono/route'
import { callOf, dispatches, respond, type Dispatch } from './routing/dispatch.js'
import { estimate, matcherOf } from './routing/estimates.js'
import { arm } from './routing/gate.js'
import { matchOf, unsupported, type Match } from './routing/match.js'
import { deliver } from './response.js'
import { reportOf, type App } from './routing/routes.js'

/** What `billing` returns: the middleware, and what a program does with billing besides mounting it. */
export interface HonoBilling<E extends Env> extends MiddlewareHandler<E>, Billing {
  /**
   * Reports what the app sells and logs what a builder has to look at. Call it when every route is registered:
   * a Hono middleware never sees its app, so nothing is reported unless you ask. From then on estimates are matched
   * by the app's own router, and `billable` routes have them too.
   *
   * @example console.log(reportText(bill.routes(app)))
   */
  routes(app: App): RouteReport
}

/**
 * Makes routes of a Hono app paid. Mount it before the routes it prices.
 *
 * @throws FareboxError `OPTIONS_INVALID`, listing every fault
 * @example
 * app.use(billing({
 *   account: (c) => c.req.header('x-api-key'),
 *   store: memoryStore(),
 *   prices: { 'POST /v1/render': { product: 'render', price: 5 } },
 * }))
 */
export function billing<Bodies, Responses, E extends Env = Env>(options: BillingOptions<Context<E>, Bodies, Responses>): HonoBilling<E> {
  const engine = createEngine<Context<E>, Bodies, Responses>(options)
  let matcher = matcherOf(engine)

  const middleware: MiddlewareHandler<E> = async function billing(c, next) {
    const match = matchOf(c)
    const endpoint = engine.endpoints.find(c.req.method, pathWithin(c, match))
    if (endpoint) return respond(c, await endpoint.answer(callOf(c)))

    const before = dispatches.get(c)
    if (before) {
      engine.meetAgain(before.engine)
      // Not returned: what `next()` resolves to is the context, which Hono would take for a response.
      await next()
      return undefined
    }
    const estimated = await estimate(c, engine, match, matcher)
    if (estimated) return estimated
    const dispatch = startDispatch(c, engine, match)
    const { exchange } = dispatch
    const own = c.req.routeIndex
    try {
      await next()
      if (!dispatch.gated && c.req.routeIndex > own) throw unsupported()
      await deliver(c, dispatch)
    } catch (error) {
      exchange.threw()
      await exchange.close({ status: c.res.status })
      throw error
    } finally {
      dispatch.through?.()
    }
  }

  return Object.assign(middleware, {
    ...engine.billing,
    routes(app: App) {
      matcher = app.router
      return reportOf(app, engine, middleware)
    },
  })
}

/** Starts to follow a request, with a gate before everything it may still reach. */
function startDispatch<E extends Env>(c: Context<E>, engine: Engine<Context<E>>, match: Match): Dispatch {
  const dispatch: Dispatch = { engine, match, exchange: engine.exchange(), gated: false, begun: false, gone: false }
  for (const [target] of match.slice(c.req.routeIndex + 1)) arm(target)
  dispatches.set(c, dispatch)
  return dispatch
}

/** The path below the app that billing is used on. */
function pathWithin(c: Context, match: Match): string {
  const root = match[c.req.routeIndex]?.[0][1].basePath
  return root === '/' ? c.req.path : c.req.path.slice(basePath(c).length)
}
