import type { Express, Request } from 'express'
import { FareboxError } from '@farebox/core'
import type { ListedRoute, PriceList, Registered, RegisteredRoute } from '@farebox/core/adapter'
import { billableFor } from './sold.js'
import { findEstimated, type Estimated } from './estimated.js'
import { compile, methodsOf, taken, type Route } from './gate.js'
import { follow, join, Places, textsOf, type Place } from './places.js'

/**
 * Which key of the price book a Route stands for. It is told by the Route itself, from where the app's routers
 * have it, and never by the text of the request: that is spelled as its sender likes.
 */
export class Routes {
  readonly #places: Places
  /** Routes that were looked for and not found where a request had met them. */
  readonly #lost = new WeakSet<Route>()
  /** The paths of the price book's keys. */
  readonly #keyPaths: readonly string[]

  constructor(root: Express, private readonly prices: PriceList, billing: unknown) {
    this.#keyPaths = prices.routes.map(({ key }) => key.slice(key.indexOf(' ') + 1))
    this.#places = new Places(root, billing, [...new Set(this.#keyPaths.flatMap(parts))])
  }

  /**
   * The listed route for a request that has reached this Route for the `pass`th time, counted from 0. Where it
   * can't be told which of several priced routes it is, the answer is one that has no valid price.
   */
  find(route: Route, req: Request, pass: number): ListedRoute | undefined {
    const patterns = this.#patterns(route, req, pass)
    const listed = new Set(patterns.map((pattern) => this.prices.find(req.method, pattern)))
    const priced = [...listed].filter((found) => found && found.terms !== 'free')
    if (priced.length > 1) return undecided(route, priced.map((found) => found!.key))
    return priced[0] ?? [...listed].find((found) => found)
  }

  /** The full pattern of a Route that is priced in place; the likeliest, where it can't be told. */
  patternOf(route: Route, req: Request, pass: number): string {
    return this.#patterns(route, req, pass)[0] ?? String(route.path)
  }

  /** What is estimated at a path of its own: `path` is that, `of` the path of the calls to be estimated. */
  estimated(path: string, of: string): Estimated | undefined {
    const find = () => findEstimated(this.#places.all, this.prices, path, of)
    const found = find()
    if (found) return found
    // It may have been registered since.
    this.#places.look()
    return find()
  }

  /** The full patterns that this Route may have been reached under: one, unless it can't be told. */
  #patterns(route: Route, req: Request, pass: number): readonly string[] {
    let fitting = this.#fitting(route, req)
    if (fitting.length === 0 && !this.#lost.has(route)) {
      // It may have been registered since.
      this.#places.look()
      fitting = this.#fitting(route, req)
      if (fitting.length === 0) this.#lost.add(route)
    }
    // One Route under two prefixes that both take this path: routers try them in order.
    const fits = fitting[Math.min(pass, fitting.length - 1)]
    return fits && fits.length > 0 ? fits : this.#guesses(route, req, fits !== undefined)
  }

  /** What the app has, for a report. */
  registered(): Registered {
    this.#places.look()
    return { routes: this.#places.all.flatMap(registeredAt), opaque: this.#places.opaque }
  }

  #fitting(route: Route, req: Request): readonly (readonly string[])[] {
    const { baseUrl, path } = req
    const ways = this.#places.of(route).map((place) => follow(place, baseUrl + path))
    // One that takes another part of the path before its own is not how the request came.
    return ways.flatMap((way) => (way?.base === baseUrl.length ? [way.patterns] : []))
  }

  /**
   * For a Route that the app's routers don't show (a function passes requests on to its router) or not under the
   * path that was taken (something rewrote the URL): every key that ends in the Route's path and whose beginning
   * takes what the request took before; for one on a mount whose path can't be told, and so is none of a key's that is
   * plain: every such key whose beginning is an expression, or has an optional part. Else wherever the Route stands.
   */
  #guesses(route: Route, req: Request, untold: boolean): readonly string[] {
    const takesBase = (prefix: string) => {
      const layer = route.stack[0] && compile(route.stack[0], prefix, {}, false)
      return layer !== undefined && taken(layer, req.baseUrl)?.path === req.baseUrl
    }
    const takesUntold = (prefix: string) => EXPRESSION.test(prefix) || (prefix.includes('{') && takesBase(prefix))
    const prefixes = ['', ...new Set(this.#keyPaths.flatMap(beginnings))].filter((prefix) => (untold ? takesUntold(prefix) : prefix === '' ? req.baseUrl === '' : takesBase(prefix)))
    const own = [route.path].flat(Infinity).map(String)
    const guesses = prefixes.flatMap((prefix) => own.map((path) => join(prefix, path)))
    return guesses.some((guess) => this.prices.find(req.method, guess)) ? guesses : this.#places.of(route).flatMap(({ steps }) => textsOf(steps))
  }
}

/** What the text of an expression has and a plain path has not. */
const EXPRESSION = /[\\^$+?()[\]|]/

/** `/a/b/c`: itself, `/a/b` and `/a`. */
function beginnings(path: string): readonly string[] {
  const slash = path.lastIndexOf('/')
  return slash > 0 ? [path, ...beginnings(path.slice(0, slash))] : [path]
}

/** `/a/b/c`: what it begins with, what `/b/c` begins with, and `/c`. */
function parts(path: string): readonly string[] {
  const slash = path.indexOf('/', 1)
  return slash > 0 ? [...beginnings(path), ...parts(path.slice(slash))] : [path]
}

function registeredAt({ route, steps, gated }: Place): readonly RegisteredRoute[] {
  return textsOf(steps).flatMap((path) => methodsOf(route).map((method) => {
    const billable = billableFor(route, method)
    return { method, path, gated, ...(billable && { billable }) }
  }))
}

function undecided(route: Route, keys: readonly string[]): ListedRoute {
  const message = `a request can reach it as ${keys.join(' and as ')}, and which of them it took can't be told: mount them apart`
  const price = () => {
    throw new FareboxError('PRICE_INVALID', message)
  }
  return { key: String(route.path), terms: { product: 'undecided', price } }
}
