import type { Engine, ListedRoute } from '@farebox/core/adapter'
import { mayPassOn, type Match } from './match.js'

/** What a request matched, and the price book. */
export interface Listing {
  readonly engine: Engine<never>
  readonly match: Match
}

/** The price book's route for an entry of the match. */
export function listingOf({ match, engine }: Listing, index: number, method: string): ListedRoute | undefined {
  const [[, { path }]] = match[index]!
  return engine.prices.find(method, path)
}

/**
 * Whether a function that can pass on is middleware under the path of a listed route, whose own handler comes
 * behind it: registered for every method, as `use` does; or that handler is hidden from this request by another
 * route's. Of `get('/v1/*', log)`, `get('/v1/free', …)` and `get('/v1/*', …)`, the free one is not to be refused for
 * the price of the last.
 */
export function standsInFront(listing: Listing, index: number, method: string, listed: ListedRoute): boolean {
  const { match } = listing
  const [[, route]] = match[index]!
  if (!mayPassOn(route)) return false
  const behind = match.flatMap((_, i) => (i > index && listingOf(listing, i, method) === listed ? [i] : []))
  const end = match.findIndex(([[, route]], i) => i > index && !mayPassOn(route))
  return behind.length > 0 && (route.method === 'ALL' || (end >= 0 && behind.every((i) => i > end)))
}

/** Whether an unlisted function is a route's handler: it can't pass on, or it has a method and nothing is left to pass on to. */
export function isRoute({ match }: Listing, index: number): boolean {
  const [[, route]] = match[index]!
  return !mayPassOn(route) || (route.method !== 'ALL' && index === match.length - 1)
}
