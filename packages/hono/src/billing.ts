import type { Billing, BillingOptions, RouteReport } from '@farebox/core'
import { createEngine, type Engine } from '@farebox/core/adapter'
import type { Context, Env, MiddlewareHandler } from 'hono'
import { basePath } from 'hono/route'
import { callOf, dispatches, respond, type Dispatch, type Tab } from './routing/dispatch.js'
import { arm } from './routing/gate.js'
import { matchOf, unsupported, type Match } from './routing/match.js'
import { deliver } from './response.js'
import { reportOf, type App } from './routing/routes.js'

/** What `billing` returns: the middleware, and what a program does with billing besides mounting it. */
export interface HonoBilling<E extends Env> extends MiddlewareHandler<E>, Billing {
  /**
   * Reports what the app sells and logs what a builder has to look at. Call it when every route is registered:
   * a Hono middleware never sees its app, so nothing is reported unless you ask.
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
  const warnTwice = once((path: string) => engine.settings.logger.warn(`farebox: billing is mounted twice on ${path}: a call is billed once`))

  const middleware: MiddlewareHandler<E> = async function billing(c, next) {
    const match = matchOf(c)
    const endpoint = engine.endpoints.find(c.req.method, pathWithin(c, match))
    if (endpoint) return respond(c, await endpoint.answer(callOf(c, () => engine.settings.account(c))))

    const dispatch = board(c, match)
    if (dispatch.tabs.length > 0) warnTwice(c.req.path)
    const tab = tabOf(c, engine)
    dispatch.tabs.push(tab)
    const own = c.req.routeIndex
    try {
      await next()
      if (!dispatch.gated && c.req.routeIndex > own) throw unsupported()
      await deliver(c, tab.exchange)
    } catch (error) {
      tab.exchange.threw()
      await tab.exchange.close({ status: c.res.status })
      throw error
    }
  }

  return Object.assign(middleware, {
    grant: engine.grant,
    close: engine.close,
    routes: (app: App) => reportOf(app, engine, middleware),
  })
}

function tabOf<E extends Env>(c: Context<E>, { settings, prices, exchange }: Engine<Context<E>>): Tab {
  return { prices, exchange: exchange(), account: () => settings.account(c) }
}

/** Starts to follow a request, with a gate before everything it may still reach. */
function board(c: Context, match: Match): Dispatch {
  const followed = dispatches.get(c)
  if (followed) return followed
  const dispatch: Dispatch = { match, tabs: [], gated: false }
  for (const [target] of match.slice(c.req.routeIndex + 1)) arm(target)
  dispatches.set(c, dispatch)
  return dispatch
}

/** The path below the app that billing is used on. */
function pathWithin(c: Context, match: Match): string {
  const root = match[c.req.routeIndex]?.[0][1].basePath
  return root === '/' ? c.req.path : c.req.path.slice(basePath(c).length)
}

function once<T>(act: (value: T) => void): (value: T) => void {
  let done = false
  return (value) => {
    if (!done) act(value)
    done = true
  }
}
