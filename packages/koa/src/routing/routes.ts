import { METHODS } from 'node:http'
import type { Registered, RegisteredRoute } from '@farebox/core/adapter'
import type { Middleware } from 'koa'
import { billableIn } from './billables.js'
import type { Layer } from './estimable.js'

/** A Koa app, whatever the types of its state and context. */
export interface App {
  readonly middleware: readonly Used[]
}

type Used = (ctx: never, next: never) => unknown

/** Finds the routes of an app: Koa keeps its middleware in order, and the function of a router carries the router. */
export function registered({ middleware }: App, billing: Middleware): Registered {
  const routes: RegisteredRoute[] = []
  const opaque: string[] = []
  let gated = false
  for (const [i, used] of middleware.entries()) {
    const { router } = used as { readonly router?: { readonly stack: readonly Layer[] } }
    if (used === billing) gated = true
    else if (router) routes.push(...routesOf(router.stack, billing, gated))
    else if (isContainer(used) || used.length < 2) opaque.push(`app.middleware[${i}] (${used.name || 'a function without a name'})`)
    // Where billing itself may be inside, nothing behind it can be called unbilled.
    if (isContainer(used) && !middleware.includes(billing)) gated = true
  }
  return { routes, opaque }
}

function routesOf(stack: readonly Layer[], billing: Middleware, gated: boolean): RegisteredRoute[] {
  const routes: RegisteredRoute[] = []
  for (const layer of stack) {
    if (layer.stack.includes(billing)) gated = true
    const billable = billableIn(layer.stack)
    for (const method of methodsOf(layer)) routes.push({ method, path: String(layer.path), gated, ...(billable && { billable }) })
  }
  return routes
}

/** Without the HEAD that comes with a GET. */
function methodsOf({ methods }: Layer): readonly string[] {
  if (METHODS.every((method) => methods.includes(method))) return ['ALL']
  return methods.filter((method) => method !== 'HEAD' || !methods.includes('GET'))
}

/**
 * Whether a middleware runs others which cannot be seen: what koa-mount and koa-compose return has no name and
 * shows nothing, but its own source. Only this report depends on it.
 */
function isContainer(used: Used): boolean {
  return used.name === '' && /\bmountPath\b|\bdispatch\(0\)/.test(Function.prototype.toString.call(used))
}
