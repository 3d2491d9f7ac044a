import type { Context, Handler, Next } from 'hono'
import { dispatches, enter, type Dispatch } from './dispatch.js'
import { isRoute, listingOf, standsInFront } from './listing.js'
import { isTarget, unsupported, type Target } from './match.js'

const gates = new WeakSet<Handler>()

/**
 * Puts a gate in front of a registered handler, once; every request that reaches it then passes there.
 *
 * So a route is entered exactly when Hono reaches its handler. Reserving beforehand for all that a request
 * matched would need only documented means, but would hold credits for handlers that are never reached, and
 * answer 402 where none of them costs anything.
 */
export function arm(target: Target): void {
  if (!isTarget(target)) throw unsupported()
  const [handler] = target
  if (gates.has(handler)) return
  const gate: Handler = (c: Context, next) => {
    const dispatch = dispatches.get(c)
    return dispatch ? pass(c, next, handler, dispatch) : handler(c, next)
  }
  gates.add(gate)
  target[0] = gate
}

async function pass(c: Context, next: Next, handler: Handler, dispatch: Dispatch) {
  dispatch.gated = true
  const { method, routeIndex } = c.req
  const listed = listingOf(dispatch, routeIndex, method)
  const counts = listed
    // A validator and the handler behind it are one route.
    ? listed !== dispatch.entered && !standsInFront(dispatch, routeIndex, method, listed)
    : isRoute(dispatch, routeIndex)
  if (!counts) return handler(c, next) as Promise<Response>
  if (listed) dispatch.entered = listed
  const refused = await enter(c, dispatch, listed)
  return refused ?? dispatch.exchange.run(() => handler(c, next) as Promise<Response>)
}
