import { FareboxError } from '../../errors.js'
import type { Route } from './route.js'
import { canonicalKey, canonicalPath, parseRouteKey } from './route-key.js'

/** More patterns than any app registers: what is remembered stays bounded whatever an adapter asks for. */
const MAX_REMEMBERED = 10_000

/** A route of the price book under its key. */
export interface ListedRoute {
  readonly key: string
  /** Its price, or `'free'`. */
  readonly terms: 'free' | Route
}

/**
 * The price book, ready to be asked. Adapters ask it with the pattern that the framework has registered for a
 * handler, never with a request's path: the framework alone decides what matches.
 */
export class PriceList {
  readonly #routes = new Map<string, ListedRoute>()
  readonly #paths = new Map<string, string>()

  constructor(book: Readonly<Record<string, 'free' | Route>>) {
    for (const [key, terms] of Object.entries(book)) {
      this.#routes.set(canonicalKey(mustParse(key)), { key, terms })
    }
  }

  get routes(): readonly ListedRoute[] {
    return [...this.#routes.values()]
  }

  /**
   * The listed route for a handler registered under `path` that is about to answer `method`. HEAD is the
   * route's GET where HEAD is not listed itself, as the frameworks dispatch it.
   */
  find(method: string, path: string): ListedRoute | undefined {
    const listed = this.#routes.get(`${method} ${this.#canonical(path)}`)
    return listed ?? (method === 'HEAD' ? this.find('GET', path) : undefined)
  }

  /** Remembered, since it is asked for by every request. */
  #canonical(path: string): string {
    const known = this.#paths.get(path) ?? canonicalPath(path)
    if (this.#paths.size < MAX_REMEMBERED) this.#paths.set(path, known)
    return known
  }
}

function mustParse(key: string) {
  const parsed = parseRouteKey(key)
  if (typeof parsed === 'string') throw new FareboxError('OPTIONS_INVALID', `prices["${key}"]: ${parsed}`)
  return parsed
}
