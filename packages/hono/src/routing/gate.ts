import type { ListedRoute } from '@farebox/core/adapter'
import type { Context, Handler, Next } from 'hono'
import { dispatches, enter, type Dispatch } from './dispatch.js'
import { isTarget, mayPassOn, unsupported, type Target } from './match.js'

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
  if (counts) {
    if (listed) dispatch.entered = listed
    const refused = await enter(c, dispatch, listed)
    if (refused) return refused
  }
  return handler(c, next) as Promise<Response>
}

function listingOf({ match, engine }: Dispatch, index: number, method: string): ListedRoute | undefined {
  const [[, { path }]] = match[index]!
  return engine.prices.find(method, path)
}

/**
 * Whether a function that can pass on is middleware under the path of a listed route, whose own handler comes
 * behind it: registered for every method, as `use` does; or that handler is hidden from this request by another
 * route's. Of `get('/v1/*', log)`, `get('/v1/free', …)` and `get('/v1/*', …)`, the free one is not to be refused for
 * the price of the last.
 */
function standsInFront(dispatch: Dispatch, index: number, method: string, listed: ListedRoute): boolean {
  const { match } = dispatch
  const [[, route]] = match[index]!
  if (!mayPassOn(route)) return false
  const behind = match.flatMap((_, i) => (i > index && listingOf(dispatch, i, method) === listed ? [i] : []))
  const end = match.findIndex(([[, route]], i) => i > index && !mayPassOn(route))
  return behind.length > 0 && (route.method === 'ALL' || (end >= 0 && behind.every((i) => i > end)))
}

/** Whether an unlisted function is a route's handler: it can't pass on, or it has a method and nothing is left to pass on to. */
function isRoute({ match }: Dispatch, index: number): boolean {
  const [[, route]] = match[index]!
  return !mayPassOn(route) || (route.method !== 'ALL' && index === match.length - 1)
}
