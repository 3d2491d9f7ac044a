import { METHODS } from 'node:http'
import type { ListedRoute, PriceList } from '@farebox/core/adapter'
import { handles, type Params } from './gate.js'
import { follow, type Place, type Way } from './places.js'
import { billableFor } from './sold.js'

/** A listed route, and what its handlers would find in `req.params`. */
export interface Estimated extends ListedRoute {
  readonly params: Params
}

/** A call is estimated with POST, so a POST is what it is likeliest to be. */
const BY_LIKELIHOOD = ['POST', ...METHODS]

/** The route that calls of the path `of` reach, to be estimated at `path`; `undefined` where the app has its own answer there. */
export function findEstimated(places: readonly Place[], prices: PriceList, path: string, of: string): Estimated | undefined {
  if (places.some((place) => handles(place.route, 'POST') && isAbout(place, path))) return undefined
  const ways = places.filter(({ gated }) => gated).map((place) => follow(place, of)).filter((way) => way !== undefined)
  for (const method of BY_LIKELIHOOD) {
    const listed = ways.map((way) => listedAt(way, method, prices)).find((found) => found !== undefined)
    if (listed && listed.terms !== 'free') return listed
  }
  return undefined
}

/** Whether a place takes this very path, and not whatever stands in its stead: a parameter or a wildcard takes any word. */
function isAbout(place: Place, path: string): boolean {
  return follow(place, path) !== undefined && follow(place, `${path}x`) === undefined
}

function listedAt({ place: { route }, patterns, params }: Way, method: string, prices: PriceList): Estimated | undefined {
  if (!handles(route, method)) return undefined
  const billable = billableFor(route, method)
  const listed = billable ? { key: `${method} ${patterns[0] ?? String(route.path)}`, terms: billable } : patterns.map((pattern) => prices.find(method, pattern)).find((found) => found)
  return listed && { ...listed, params }
}
