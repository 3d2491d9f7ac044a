import type { Engine, ListedRoute } from '@farebox/core/adapter'
import type { Context, Handler } from 'hono'
import { HonoRequest } from 'hono/request'
import type { Result, Router } from 'hono/router'
import { RegExpRouter } from 'hono/router/reg-exp-router'
import { SmartRouter } from 'hono/router/smart-router'
import { TrieRouter } from 'hono/router/trie-router'
import { findTargetHandler } from 'hono/utils/handler'
import { mergePath } from 'hono/utils/url'
import { billables } from '../billable.js'
import { callOf, respond } from './dispatch.js'
import { listingOf, standsInFront, type Listing } from './listing.js'
import { mayPassOn, type Match, type Target } from './match.js'

/** Who can tell what a path would match. */
export type Matcher = Pick<Router<Target>, 'match'>

/** A route that a match reaches, and where in the match. */
interface Reached extends ListedRoute {
  readonly index: number
}

/** In the order in which a path is tried; to Hono, HEAD is GET. */
const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'OPTIONS']

/**
 * Answers a request for an estimate; `undefined` for any other request, and where the app has a route of its own there.
 *
 * @param matched what the request itself matched
 * @param matcher what tells which route the estimated path would match
 */
export async function estimate(c: Context, engine: Engine<never>, matched: Match, matcher: Matcher): Promise<Response | undefined> {
  const path = engine.estimates.pathOf(c.req.method, c.req.path)
  if (path === undefined || hasOwnRoute(c, { engine, match: matched })) return undefined
  for (const method of METHODS) {
    const result = matcher.match(method, path)
    const reached = reachedBy({ engine, match: result[0] as Match }, method)
    if (!reached || reached.terms === 'free') continue
    const call = { ...callOf(c), params: paramsOf(c, path, result, reached.index) }
    return respond(c, await engine.estimates.answer(reached.key, reached.terms, call))
  }
  return undefined
}

/**
 * Routes from the price book's keys in a router as Hono makes it: a middleware never sees its app, so that is
 * what is known of it before `bill.routes(app)` has shown it.
 */
export function matcherOf({ prices }: Engine<never>): Matcher {
  const router = new SmartRouter<Target>({ routers: [new RegExpRouter(), new TrieRouter()] })
  const handler: Handler = () => {}
  for (const { key } of prices.routes) {
    const method = key.slice(0, key.indexOf(' '))
    const path = mergePath('/', key.slice(method.length + 1))
    router.add(method, path, [handler, { basePath: '/', method, path, handler }])
  }
  return router
}

/**
 * Whether the request reaches a route about this very path by itself, one that is listed or is no middleware. A
 * parameter or a wildcard takes any word, and so is not about it.
 */
function hasOwnRoute(c: Context, listing: Listing): boolean {
  const { match, engine: { settings: { endpoints: { estimate } } } } = listing
  return match.some(([[, route]], i) => {
    if (i <= c.req.routeIndex || !route.path.endsWith(String(estimate))) return false
    return !mayPassOn(route) || listingOf(listing, i, c.req.method) !== undefined || route.method !== 'ALL'
  })
}

/** The route that a request with this match would pay for: the last one before a handler that can't pass it on, as the gates enter them. */
function reachedBy(listing: Listing, method: string): Reached | undefined {
  let entered: ListedRoute | undefined
  let reached: Reached | undefined
  for (const [index, [[, route]]] of listing.match.entries()) {
    const listed = listingOf(listing, index, method)
    if (listed && listed !== entered && !standsInFront(listing, index, method, listed)) {
      entered = listed
      reached = { ...listed, index }
    }
    const terms = billables.get(findTargetHandler(route.handler) as Handler)
    if (terms) reached = { key: `${method} ${route.path}`, terms, index }
    if (!mayPassOn(route)) break
  }
  return reached
}

/** The parameters of a match, decoded as Hono decodes a request's. */
function paramsOf(c: Context, path: string, result: Result<Target>, index: number): Readonly<Record<string, string>> {
  const request = new HonoRequest(c.req.raw, path, result as never)
  request.routeIndex = index
  return request.param()
}
