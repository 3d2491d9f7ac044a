/**
 * What is known of the inside of @koa/router (12 to 15) and koa-mount (4). A router that dispatches sets
 * `ctx.matched`, then `ctx.router`, and then copies the stacks of the matched layers into the chain that it
 * runs; as each layer's turn comes, `ctx._matchedRoute` is set to its pattern.
 */
import type { Context, Middleware } from 'koa'
import { handOver, onSet } from './accessor.js'
import { billables } from './billables.js'
import { estimable, type Layer } from './estimable.js'
import { mountedAt, mountedBefore, watchMounts } from './mount.js'
import { methodOf, pass, passageOf } from '../passage.js'

/** A route that a request has reached. */
export interface Reached {
  readonly pattern: string
  readonly params: Record<string, string>
}

/** Where a context keeps the routes whose gates it passed before it came to billing. */
const passed = Symbol('farebox.passed')

const watched = new WeakSet<object>()

/** The pattern of the route whose handlers run, from the root of the app. */
export function patternOf(ctx: Context): string {
  return mountedAt(ctx) + String(ctx['_matchedRoute'] ?? ctx.path)
}

/** Stands first in the stack of every route that was ever matched. */
const gate: Middleware = async function gate(ctx, next) {
  const pattern = patternOf(ctx)
  const passage = passageOf(ctx)
  if (passage) return pass(ctx, passage, passage.engine.prices.find(passage.method, pattern), next)
  const reached: Reached = { pattern, params: ctx['params'] as Reached['params'] }
  ctx[passed] = [...(ctx[passed] as Reached[] | undefined ?? []), reached]
  return next()
}

/**
 * Has every router that dispatches in this app put gates before the routes it matched.
 *
 * @returns the routes whose gates the request has missed: there are some where billing is used inside a router
 */
export function watch(ctx: Context): readonly Reached[] {
  const { context } = ctx.app
  if (!watched.has(context)) {
    watched.add(context)
    watchMounts(context)
    onSet(context, 'router', dispatching)
  }
  mountedBefore(ctx)
  // Dispatched when there was no accessor yet: the chain that runs at this moment may have been made without gates.
  if (!handOver(ctx, 'router')) return ctx[passed] as Reached[] | undefined ?? []
  return layersOf(ctx)
    .filter(({ methods }) => methods.includes(methodOf(ctx)))
    .map((layer) => ({ pattern: mountedAt(ctx) + String(layer.path), params: layer.params(ctx.path, layer.captures(ctx.path), {}) }))
}

function dispatching(ctx: Context): void {
  const passage = passageOf(ctx)
  if (passage) {
    passage.method = methodOf(ctx)
    // A later router may have a route of the app's own, and none that takes its place.
    const found = estimable(ctx, passage)
    if (found === 'own' || !passage.estimate) passage.estimate = found
  }
  for (const { methods, stack } of layersOf(ctx)) if (methods.length > 0 && !isGated(stack)) stack.unshift(gate)
}

/** A router shares a stack between the layers of all places where it is used: its gate asks which one it is in. */
function isGated(stack: readonly Middleware[]): boolean {
  return stack.some((handler) => handler === gate || billables.has(handler))
}

function layersOf(ctx: Context): readonly Layer[] {
  return (ctx['matched'] as Layer[] | undefined) ?? []
}
