import type { Route } from '@farebox/core'
import type { Middleware } from 'koa'

/** The terms of every middleware that `billable` made: the gate of the route that has one. */
export const billables = new WeakMap<Middleware, Route>()

/** What prices a route in its own stack. */
export function billableIn(stack: readonly Middleware[]): Route | undefined {
  return stack.map((handler) => billables.get(handler)).find((terms) => terms)
}
