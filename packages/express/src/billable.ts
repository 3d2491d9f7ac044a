import type { RequestHandler } from 'express'
import { FareboxError, type Route as Terms } from '@farebox/core'
import { parseRoute } from '@farebox/core/adapter'
import { markSold } from './routing/sold.js'
import { Visit } from './visit.js'

/**
 * Prices one route where it is registered, behind `app.use(billing(options))`. It wins over the price book.
 *
 * @throws FareboxError `OPTIONS_INVALID`, listing every fault. A request that came by no billing fails with
 * `BILLING_NOT_MOUNTED`.
 * @example
 * app.post('/v1/run', billable({ product: 'runs', price: 2 }), run)
 */
export function billable<Body, Response>(route: Terms<Body, Response>): RequestHandler {
  const terms = parseRoute(route)
  const handler: RequestHandler = (req, _res, next) => {
    const visit = Visit.of(req)
    if (!visit) return next(new FareboxError('BILLING_NOT_MOUNTED', 'a billable route needs app.use(billing(options)) before it'))
    visit.sell(terms).then((runs) => runs && visit.run(next), next)
  }
  markSold(handler, terms)
  return handler
}
