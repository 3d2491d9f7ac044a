import type { Express } from 'express'
import { compile, isForgotten, mounted, mountPaths, routerOf, taken, type Layer, type Match, type Params, type Path, type Route, type Router } from './gate.js'

/** One path that a layer was registered with. */
interface Choice {
  /** `undefined` where nothing tells it. */
  readonly text: string | undefined
  readonly layer: Layer
  /** Whether what leads to its router is among its params. */
  readonly merges: boolean
  /** Whether it is one of several that the layer may have been registered with. */
  readonly guessed: boolean
}

/** Where a Route stands: what leads to it, outermost first and each under one or more paths, and its own. */
export interface Place {
  readonly route: Route
  readonly steps: readonly (readonly Choice[])[]
  readonly gated: boolean
}

/** A layer that has billing in it, and the length of the path before its router. */
interface Billed {
  readonly layer: Layer
  readonly base: number
}

/** How a path leads to a Route. */
export interface Way {
  readonly place: Place
  /** The pattern it fits; several where it can't be told which, none where it is none of those that are asked for. */
  readonly patterns: readonly string[]
  /** What the Route's handlers find in `req.params`. */
  readonly params: Params
  /** How much of the path was taken before the Route's own. */
  readonly base: number
}

/** Where the Routes of an app stand, as its routers have them. */
export class Places {
  #all: readonly Place[] = []
  #byRoute = new Map<Route, readonly Place[]>()
  #opaque: readonly string[] = []
  readonly #choices = new WeakMap<Layer, readonly Choice[]>()
  readonly #inner = new WeakMap<Layer, { readonly router: Router | undefined }>()

  /** @param hints paths that something may be mounted with, where the framework has forgotten which */
  constructor(private readonly root: Express, private readonly billing: unknown, private readonly hints: readonly string[]) {}

  get all(): readonly Place[] {
    return this.#all
  }

  /** Functions on a path, of which nothing is known. */
  get opaque(): readonly string[] {
    return this.#opaque
  }

  of(route: Route): readonly Place[] {
    return this.#byRoute.get(route) ?? []
  }

  /** Looks at the app as it is now. */
  look(): void {
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

    this.#all = places
    this.#byRoute = new Map()
    for (const place of places) this.#byRoute.set(place.route, [...this.of(place.route), place])
    const all = places.flatMap(({ steps }) => textsOf(steps))
    // With routes behind it, a function on a path is middleware in front of them.
    this.#opaque = opaque.filter(({ text, sure }) => sure || !all.some((route) => route.startsWith(`${text}/`))).map(({ text }) => text)
  }

  #choicesOf(layer: Layer, router: Router): readonly Choice[] {
    let choices = this.#choices.get(layer)
    if (!choices) {
      const paths = layer.route ? ([layer.route.path].flat(Infinity) as Path[]) : mountPaths(layer, router, this.hints)
      const of = { merges: router.mergeParams === true, guessed: isForgotten(layer) }
      choices = paths.map((path) => ({ ...of, text: String(path), layer: paths.length === 1 ? layer : compile(layer, path, router, layer.route !== undefined) ?? layer }))
      if (paths.length === 0) choices = [{ ...of, text: undefined, layer }]
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
}

/** How a full path goes through the steps of a place, or `undefined` where it does not lead there. */
export function follow(place: Place, path: string): Way | undefined {
  let rest = path
  let base = 0
  let length = 0
  let patterns: readonly string[] = ['']
  let params: Params = {}
  for (const choices of place.steps) {
    base += length
    const hits = taking(choices, rest)
    if (!hits[0]) return undefined
    const { choice, match } = hits[0]
    // As routers count: a slash at its end is no part of a mount's path, and what is left begins with one.
    length = match.path.replace(/\/$/, '').length
    rest = rest.slice(match.path.length).replace(/^(?!\/)/, '/')
    patterns = patterns.flatMap((pattern) => joined(pattern, hits.map(({ choice }) => choice)))
    params = choice.merges ? { ...params, ...match.params } : match.params
  }
  return { place, patterns, params, base }
}

/** The first path that takes this one, as routers have it; of guessed ones, all that do. */
function taking(choices: readonly Choice[], path: string): readonly { choice: Choice; match: Match }[] {
  const hits = choices.flatMap((choice) => {
    const match = taken(choice.layer, path)
    return match ? [{ choice, match }] : []
  })
  return choices[0]?.guessed ? hits : hits.slice(0, 1)
}

/** Every full pattern that these steps stand for. */
export function textsOf(steps: Place['steps']): readonly string[] {
  return steps.reduce<readonly string[]>((texts, choices) => texts.flatMap((text) => joined(text, choices)), [''])
}

function joined(prefix: string, choices: readonly Choice[]): readonly string[] {
  return choices.flatMap(({ text }) => (text === undefined ? [] : [join(prefix, text)]))
}

export function join(prefix: string, path: string): string {
  return prefix.replace(/\/$/, '') + path
}

/** What a function on a path of its own may answer; `sure` when it can't pass the request on. */
function plainFunctions({ handle, name }: Layer, path: Place['steps']): readonly { text: string; sure: boolean }[] {
  if (typeof handle !== 'function' || handle.length > 3 || path.at(-1)!.some(({ text }) => text === '/')) return []
  const texts = path.at(-1)!.some(({ text }) => text !== undefined) ? textsOf(path) : textsOf(path.slice(0, -1)).map((text) => `${name}, on a path under ${text || '/'}`)
  return texts.map((text) => ({ text, sure: handle.length < 3 }))
}
