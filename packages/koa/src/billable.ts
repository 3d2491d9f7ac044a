import { FareboxError, type Route } from '@farebox/core'
import { parseRoute } from '@farebox/core/adapter'
import type { Middleware } from 'koa'
import { billables } from './routing/billables.js'
import { patternOf } from './routing/gate.js'
import { methodOf, pass, passageOf } from './passage.js'

/**
 * Prices one route where it is registered; what the price book says of it is not taken. The app needs
 * `app.use(billing(options))` before it.
 *
 * @throws FareboxError `OPTIONS_INVALID` at once; for a request that no billing has seen, `BILLING_NOT_MOUNTED`
 * @example router.post('/v1/render', billable({ product: 'render', price: 5 }), render)
 */
export function billable<Body, Response>(route: Route<Body, Response>): Middleware {
  const terms = parseRoute(route)
  const middleware: Middleware = async function billable(ctx, next) {
    const passage = passageOf(ctx)
    const key = `${methodOf(ctx)} ${patternOf(ctx)}`
    if (!passage) throw new FareboxError('BILLING_NOT_MOUNTED', `${key} is billable, but no billing is mounted before it: app.use(billing(options))`)
    return pass(ctx, passage, { key, terms }, next)
  }
  billables.set(middleware, terms)
  return middleware
}
