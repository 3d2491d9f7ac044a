import type { ErrorRequestHandler, Express, Request, RequestHandler } from 'express'
import type { Billing, BillingOptions, RouteReport } from '@farebox/core'
import { createEngine, warnOf, type Answer } from '@farebox/core/adapter'
import { handles, rootOf, watch, type Route } from './routing/gate.js'
import { Routes } from './routing/routes.js'
import { callOf } from './call.js'
import { send } from './response/send.js'
import { Visit } from './visit.js'

/** What `billing` returns: the middleware, and what a program does with billing besides mounting it. */
export interface ExpressBilling extends RequestHandler, Billing {
  /** Holds the price book against the routes of an app. The same is done by itself at the first request, and what is wrong logged. */
  routes(app: Express): RouteReport
}

/**
 * Bills every route registered behind it, by the price book in its options.
 *
 * @throws FareboxError `OPTIONS_INVALID`, listing every fault
 * @example
 * app.use(express.json())
 * app.use(billing({
 *   account: (req) => req.get('x-api-key'),
 *   store: memoryStore(),
 *   allowance: 100,
 *   prices: { 'POST /v1/run': { product: 'runs', price: 2 } },
 * }))
 * app.post('/v1/run', run)
 */
export function billing<Bodies, Responses>(options: BillingOptions<Request, Bodies, Responses>): ExpressBilling {
  const engine = createEngine(options)
  const { logger } = engine.settings
  const apps = new WeakMap<Express, Routes>()

  const middleware: RequestHandler = (req, res, next) => {
    const visit = Visit.of(req)
    if (visit) {
      engine.meetAgain(visit.engine)
      return next()
    }
    const routes = routesOf(rootOf(req.app as Express), true)
    const endpoint = engine.endpoints.find(req.method, req.path)
    if (endpoint) {
      endpoint.answer(callOf(req)).then((answer) => send(req, res, answer)).catch(next)
      return
    }
    const estimate = estimateOf(req, routes)
    if (estimate) {
      estimate.then((answer) => send(req, res, answer)).catch(next)
      return
    }
    Visit.begin(new Visit(engine, routes, req, res))
    watch(req, gates)
    next()
  }

  /** The answer to a request that wants to know what a call would cost. */
  const estimateOf = (req: Request, routes: Routes): Promise<Answer> | undefined => {
    const path = req.baseUrl + req.path
    const of = engine.estimates.pathOf(req.method, path)
    const found = of === undefined ? undefined : routes.estimated(path, of)
    if (!found || found.terms === 'free') return undefined
    return engine.estimates.answer(found.key, found.terms, callOf(req, found.params))
  }

  const routesOf = (app: Express, report: boolean): Routes => {
    let routes = apps.get(app)
    if (!routes) {
      routes = new Routes(app, engine.prices, billing)
      apps.set(app, routes)
      if (report) warnOf(engine.report(routes.registered()), logger)
    }
    return routes
  }

  const billing: ExpressBilling = Object.assign(middleware, {
    ...engine.billing,
    routes: (app: Express) => engine.report(new Routes(app, engine.prices, billing).registered()),
  })
  return billing
}

const before: RequestHandler = (req, _res, next) => {
  const visit = Visit.of(req)
  const route = req.route as Route
  if (!visit || !handles(route, req.method)) return next()
  visit.reach(route).then((runs) => runs && visit.run(next), next)
}

/** A handler that has responded and then passes on, or throws: its response goes out before anything else happens. */
const after: RequestHandler = (req, _res, next) => {
  const visit = Visit.of(req)
  if (visit) visit.answered().then(() => next())
  else next()
}

const failed: ErrorRequestHandler = (error, req, _res, next) => {
  const visit = Visit.of(req)
  visit?.threw()
  if (visit) visit.answered().then(() => next(error))
  else next(error)
}

const gates = { before, after, failed }
