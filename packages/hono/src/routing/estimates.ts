import type { Engine, Route } from '@farebox/core/adapter'
import type { Context } from 'hono'
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

interface Paid {
  readonly key: string
  readonly route: Route
}

/** In the order in which a path is tried; to Hono, HEAD is GET. */
const METHODS = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'OPTIONS']

/** Answers a request for an estimate; `undefined` for any other request, and where the app has a route of its own there. */
export async function estimate<E extends Engine<never>>(c: Context, engine: E, matched: Match, matcher: Matcher, account: () => unknown): Promise<Response | undefined> {
  const path = engine.estimates.pathOf(c.req.method, c.req.path)
  if (path === undefined || hasOwnRoute(c, { engine, match: matched })) return undefined
  for (const method of METHODS) {
    const result = matcher.match(method, path)
    const found = paidAt({ engine, match: result[0] as Match }, method)
    if (!found) continue
    const { key, route, index } = found
    return respond(c, await engine.estimates.answer(key, route, { ...callOf(c, account), params: paramsOf(c, path, result, index) }))
  }
  return undefined
}

/**
 * Routes from the price book's keys in a router as Hono makes it: a middleware never sees its app, so that is
 * what is known of it before `bill.routes(app)` has shown it.
 */
export function matcherOf({ prices }: Engine<never>): Matcher {
  const router = new SmartRouter<Target>({ routers: [new RegExpRouter(), new TrieRouter()] })
  const handler = (): undefined => undefined
  for (const { key } of prices.routes) {
    const method = key.slice(0, key.indexOf(' '))
    const path = mergePath('/', key.slice(method.length + 1))
    router.add(method, path, [handler as never, { basePath: '/', method, path, handler: handler as never }])
  }
  return router
}

/** Whether the request reaches a handler by itself, one of a listed route or one that is no middleware. */
function hasOwnRoute(c: Context, listing: Listing): boolean {
  const { match } = listing
  return match.some(([[, route]], i) => {
    if (i <= c.req.routeIndex) return false
    return !mayPassOn(route) || listingOf(listing, i, c.req.method) !== undefined || (route.method !== 'ALL' && !route.path.endsWith('*'))
  })
}

/** What a request with this match would pay: the last route that it reaches before a handler that can't pass it on, as the gates enter them. */
function paidAt(listing: Listing, method: string): (Paid & { readonly index: number }) | undefined {
  const { match } = listing
  let reached: { key: string, terms: 'free' | Route, index: number } | undefined
  let entered: unknown
  for (const [index, [[, route]]] of match.entries()) {
    const listed = listingOf(listing, index, method)
    if (listed && listed !== entered && !standsInFront(listing, index, method, listed)) {
      entered = listed
      reached = { ...listed, index }
    }
    const terms = billables.get(findTargetHandler(route.handler) as never)
    if (terms) reached = { key: `${method} ${route.path}`, terms, index }
    if (!mayPassOn(route)) break
  }
  return reached && reached.terms !== 'free' ? { key: reached.key, route: reached.terms, index: reached.index } : undefined
}

/** The parameters of a match, decoded as Hono decodes a request's. */
function paramsOf(c: Context, path: string, result: Result<Target>, index: number): Readonly<Record<string, string>> {
  const request = new HonoRequest(c.req.raw, path, result as never)
  request.routeIndex = index
  return request.param()
}
