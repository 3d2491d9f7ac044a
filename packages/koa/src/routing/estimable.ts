import type { Call, ListedRoute } from '@farebox/core/adapter'
import type { Route } from '@farebox/core'
import type { Context, Middleware } from 'koa'
import { methodOf, type Passage } from '../passage.js'
import { billableIn } from './billables.js'
import { mountedAt } from './mount.js'

/** A layer of a router; one without methods is a middleware. */
export interface Layer {
  readonly path: string | RegExp
  readonly methods: readonly string[]
  readonly stack: Middleware[]
  match(path: string): boolean
  captures(path: string): string[]
  params(path: string, captures: string[], params: Record<string, string>): Record<string, string>
}

interface Router {
  match(path: string, method: string): { readonly path: readonly Layer[]; readonly pathAndMethod: readonly Layer[] }
}

interface Estimated {
  readonly key: string
  readonly terms: Route
  readonly params: Call['params']
}

/** The route whose estimate a request wants, or `'own'` for a request that goes to a route of the app's own. */
export type Estimable = Estimated | 'own' | undefined

/** What a request for an estimate is to the router that dispatches it at this moment, by that router's own matching. */
export function estimable(ctx: Context, passage: Passage): Estimable {
  const path = passage.engine.estimates.pathOf(methodOf(ctx), ctx.path)
  if (path === undefined) return undefined
  const router = ctx['router'] as Router
  const listedOf = (layer: Layer, method: string) => listed(passage, layer, method, mountedAt(ctx))
  const own = router.match(ctx.path, methodOf(ctx)).pathAndMethod.filter(({ methods }) => methods.length > 0)
  // A parameter or a wildcard takes any word: only a route that has this very one is about it.
  if (own.some((layer) => !layer.match(`${ctx.path}x`))) return 'own'

  const layers = router.match(path, methodOf(ctx)).path
  for (const method of new Set(['POST', 'GET', ...layers.flatMap(({ methods }) => methods)])) {
    const found = firstOf(layers.filter(({ methods }) => methods.length === 0 || methods.includes(method)), path, (layer) => listedOf(layer, method))
    if (found) return found
  }
  return undefined
}

/** The first route that says what it costs, with every parameter that it would find; none where it is free. */
function firstOf(layers: readonly Layer[], path: string, listedOf: (layer: Layer) => ListedRoute | undefined): Estimated | undefined {
  let params: Record<string, string> = {}
  for (const layer of layers) {
    params = layer.params(path, layer.captures(path), params)
    const route = listedOf(layer)
    if (route) return route.terms === 'free' ? undefined : { key: route.key, terms: route.terms, params }
  }
  return undefined
}

function listed({ engine }: Passage, layer: Layer, method: string, mount: string): ListedRoute | undefined {
  if (layer.methods.length === 0) return undefined
  const pattern = mount + String(layer.path)
  const terms = billableIn(layer.stack)
  return terms ? { key: `${method} ${pattern}`, terms } : engine.prices.find(method, pattern)
}
