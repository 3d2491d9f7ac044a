import type { Express, Request } from 'express'
import { FareboxError } from '@farebox/core'
import type { ListedRoute, PriceList, Registered, RegisteredRoute } from '@farebox/core/adapter'
import { billableFor } from './sold.js'
import { compile, methodsOf, mounted, mountPaths, routerOf, taken, type Layer, type Path, type Route, type Router } from './gate.js'

/** One path that a layer was registered with. */
interface Choice {
  readonly text: string
  readonly layer: Layer
}

/** Where a Route stands: what leads to it, outermost first and each under one or more paths, and its own. */
interface Place {
  readonly route: Route
  readonly steps: readonly (readonly Choice[])[]
  readonly gated: boolean
}

/** A layer that has billing in it, and the length of the path before its router. */
interface Billed {
  readonly layer: Layer
  readonly base: number
}

/**
 * Which key of the price book a Route stands for. It is told by the Route itself, from where the app's routers
 * have it, and never by the text of the request: that is spelled as its sender likes.
 */
export class Routes {
  #places: readonly Place[] = []
  #byRoute = new Map<Route, Place[]>()
  #opaque: readonly string[] = []
  /** Routes that were looked for and not found where a request had met them. */
  readonly #lost = new WeakSet<Route>()
  readonly #choices = new WeakMap<Layer, readonly Choice[]>()
  readonly #inner = new WeakMap<Layer, { readonly router: Router | undefined }>()
  /** The paths of the price book's keys. */
  readonly #keyPaths: readonly string[]
  readonly #hints: readonly string[]

  constructor(private readonly root: Express, private readonly prices: PriceList, private readonly billing: unknown) {
    this.#keyPaths = prices.routes.map(({ key }) => key.slice(key.indexOf(' ') + 1))
    this.#hints = [...new Set(this.#keyPaths.flatMap(parts))]
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

  /** The full patterns that this Route may have been reached under: one, unless it can't be told. */
  #patterns(route: Route, req: Request, pass: number): readonly string[] {
    let fitting = this.#fitting(route, req)
    if (fitting.length === 0 && !this.#lost.has(route)) {
      // It may have been registered since.
      this.#look()
      fitting = this.#fitting(route, req)
      if (fitting.length === 0) this.#lost.add(route)
    }
    // One Route under two prefixes that both take this path: routers try them in order.
    const fits = fitting[Math.min(pass, fitting.length - 1)]
    return fits === undefined ? this.#guesses(route, req) : [fits]
  }

  /** What the app has, for a report. */
  registered(): Registered {
    this.#look()
    return { routes: this.#places.flatMap(registeredAt), opaque: this.#opaque }
  }

  #look(): void {
    const places: Place[] = []
    const opaque: { text: string; sure: boolean }[] = []
    const walk = (router: Router, steps: Place['steps'], outside: readonly Billed[], seen: readonly Router[]) => {
      const billed = [...outside]
      const base = textsOf(steps)[0]?.length ?? 0
      for (const layer of router.stack) {
        const path = [...steps, this.#choicesOf(layer, router)]
        if (layer.handle === this.billing) billed.push({ layer, base })
        const isGated = (texts: readonly string[]) => texts.every((text) => billed.some((by) => taken(by.layer, text.slice(by.base) || '/') !== undefined))
        if (layer.route) {
          places.push({ route: layer.route, steps: path, gated: isGated(textsOf(path)) })
          continue
        }
        const inner = this.#innerOf(layer)
        if (inner && !seen.includes(inner)) walk(inner, path, billed, [...seen, inner])
        else if (!inner) opaque.push(...plainFunctions(layer, path))
      }
    }
    const router = routerOf(this.root)
    if (router) walk(router, [], [], [router])

    this.#places = places
    this.#byRoute = new Map()
    for (const place of places) this.#byRoute.set(place.route, [...(this.#byRoute.get(place.route) ?? []), place])
    const all = places.flatMap(({ steps }) => textsOf(steps))
    // With routes behind it, a function on a path is middleware in front of them.
    this.#opaque = opaque.filter(({ text, sure }) => sure || !all.some((route) => route.startsWith(`${text}/`))).map(({ text }) => text)
  }

  #choicesOf(layer: Layer, router: Router): readonly Choice[] {
    let choices = this.#choices.get(layer)
    if (!choices) {
      const paths = layer.route ? ([layer.route.path].flat(Infinity) as Path[]) : mountPaths(layer, router, this.#hints)
      choices = paths.map((path) => ({
        text: String(path),
        layer: paths.length === 1 ? layer : compile(layer, path, router, layer.route !== undefined) ?? layer,
      }))
      this.#choices.set(layer, choices)
    }
    return choices
  }

  #innerOf(layer: Layer): Router | undefined {
    let inner = this.#inner.get(layer)
    if (!inner) {
      inner = { router: mounted(layer) }
      this.#inner.set(layer, inner)
    }
    return inner.router
  }

  #fitting(route: Route, req: Request): readonly string[] {
    return (this.#byRoute.get(route) ?? []).map(({ steps }) => follow(steps, req)).filter((pattern) => pattern !== undefined)
  }

  /**
   * For a Route that the app's routers don't show (a function passes requests on to its router) or not under the
   * path that was taken (something rewrote the URL): every key that ends in the Route's path and whose beginning
   * takes what the request took before, or any where a mount's path can't be told; else wherever the Route stands.
   */
  #guesses(route: Route, req: Request): readonly string[] {
    const places = this.#byRoute.get(route) ?? []
    const untold = places.some(({ steps }) => steps.some((choices) => choices.length === 0))
    const takesBase = (prefix: string) => {
      const layer = route.stack[0] && compile(route.stack[0], prefix, {}, false)
      return layer !== undefined && taken(layer, req.baseUrl) === req.baseUrl
    }
    const prefixes = ['', ...new Set(this.#keyPaths.flatMap(beginnings))].filter((prefix) => untold || (prefix === '' ? req.baseUrl === '' : takesBase(prefix)))
    const own = [route.path].flat(Infinity).map(String)
    const guesses = prefixes.flatMap((prefix) => own.map((path) => join(prefix, path)))
    return guesses.some((guess) => this.prices.find(req.method, guess)) ? guesses : places.flatMap(({ steps }) => textsOf(steps))
  }
}

/** The pattern of the paths that a request took through these steps, or `undefined` when it came another way. */
function follow(steps: Place['steps'], { baseUrl, path }: Request): string | undefined {
  let rest = baseUrl + path
  let used = 0
  let text = ''
  for (const choices of steps.slice(0, -1)) {
    const hit = firstTaking(choices, rest)
    if (!hit) return undefined
    used += hit.length
    rest = rest.slice(hit.length)
    text = join(text, hit.text)
  }
  if (used !== baseUrl.length) return undefined
  const own = steps.at(-1)!
  const hit = own.length === 1 ? own[0] : firstTaking(own, path)
  return hit && join(text, hit.text)
}

/** The first of these paths that takes the beginning of `path`, and how much of it: without a slash at the end, as routers count. */
function firstTaking(choices: readonly Choice[], path: string): { text: string; length: number } | undefined {
  for (const { text, layer } of choices) {
    const part = taken(layer, path)
    if (part !== undefined) return { text, length: part.replace(/\/$/, '').length }
  }
  return undefined
}

/** Every full pattern that these steps stand for. */
function textsOf(steps: Place['steps']): readonly string[] {
  return steps.reduce<readonly string[]>((texts, choices) => texts.flatMap((text) => choices.map((choice) => join(text, choice.text))), [''])
}

function join(prefix: string, path: string): string {
  return prefix.replace(/\/$/, '') + path
}

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

/** What a function on a path of its own may answer; `sure` when it can't pass the request on. */
function plainFunctions({ handle, name }: Layer, path: Place['steps']): readonly { text: string; sure: boolean }[] {
  if (typeof handle !== 'function' || handle.length > 3 || path.at(-1)!.some(({ text }) => text === '/')) return []
  const texts = path.at(-1)!.length > 0 ? textsOf(path) : textsOf(path.slice(0, -1)).map((text) => `${name}, on a path under ${text || '/'}`)
  return texts.map((text) => ({ text, sure: handle.length < 3 }))
}

function undecided(route: Route, keys: readonly string[]): ListedRoute {
  const message = `a request can reach it as ${keys.join(' and as ')}, and which of them it took can't be told: mount them apart`
  const price = () => {
    throw new FareboxError('PRICE_INVALID', message)
  }
  return { key: String(route.path), terms: { product: 'undecided', price } }
}
