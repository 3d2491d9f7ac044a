import { FareboxError } from '@farebox/core'
import type { Context, Handler } from 'hono'
import type { RouterRoute } from 'hono/types'
import { findTargetHandler, isMiddleware } from 'hono/utils/handler'

/** One registered handler as the router holds it. Hono makes it once, when the handler is registered. */
export type Target = [handler: Handler, route: RouterRoute]

/**
 * What a request matched, in the order in which Hono reaches it.
 *
 * `hono/route` shows the routes of a match; what `compose` runs is `match[i][0][0]`, read when it reaches the
 * entry and not before. That is the one thing here that Hono does not document: the gate stands on it, so what
 * does not look like it is an error and never a free call.
 *
 * @throws FareboxError `BILLING_NOT_MOUNTED` where this version of Hono keeps its match elsewhere
 */
export function matchOf(c: Context): readonly Target[] {
  // Found on the request itself, since Hono's ES and CommonJS builds each have a symbol of their own.
  const [key] = Object.getOwnPropertySymbols(Object.getPrototypeOf(c.req))
  const match = key && (c.req as unknown as Record<symbol, [readonly (readonly [Target])[]] | undefined>)[key]?.[0]
  if (!Array.isArray(match) || !match.every(([target]) => isTarget(target))) throw unsupported()
  return match.map(([target]) => target)
}

export function unsupported(): FareboxError {
  return new FareboxError('BILLING_NOT_MOUNTED', '@farebox/hono does not know this version of hono: it cannot see which handler is reached, so nothing runs')
}

/** Whether a handler takes `next`, and so may pass a request on: what Hono calls a middleware. */
export function mayPassOn({ handler }: RouterRoute): boolean {
  return isMiddleware(findTargetHandler(handler))
}

function isTarget(target: unknown): target is Target {
  return Array.isArray(target) && typeof target[0] === 'function' && typeof (target[1] as RouterRoute | undefined)?.path === 'string'
}
