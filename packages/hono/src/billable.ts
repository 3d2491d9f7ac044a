import { FareboxError, type Route } from '@farebox/core'
import { parseRoute } from '@farebox/core/adapter'
import type { Handler, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { dispatches, enter } from './routing/dispatch.js'

/** The terms of every middleware that `billable` made, for the report. */
export const billables = new WeakMap<Handler, Route>()

/**
 * Prices one route where it is registered; what the price book says of it is not taken. The app needs
 * `app.use(billing(options))` before it.
 *
 * @throws FareboxError `OPTIONS_INVALID` at once; for a request that no billing has seen, `BILLING_NOT_MOUNTED`
 * @example app.post('/v1/render', billable({ product: 'render', price: 5 }), render)
 */
export function billable<Body, Response>(route: Route<Body, Response>): MiddlewareHandler {
  const terms = parseRoute(route)
  const handler: MiddlewareHandler = async function billable(c, next) {
    const dispatch = dispatches.get(c)
    const key = `${c.req.method} ${routePath(c)}`
    if (!dispatch) throw new FareboxError('BILLING_NOT_MOUNTED', `${key} is billable, but no billing is mounted before it: app.use(billing(options))`)
    const refused = await enter(c, dispatch, { key, terms })
    if (refused) return refused
    await dispatch.exchange.run(next)
  }
  billables.set(handler, terms)
  return handler
}
