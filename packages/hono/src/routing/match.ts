import { FareboxError } from '@farebox/core'
import type { Context, Handler } from 'hono'
import type { RouterRoute } from 'hono/types'
import { findTargetHandler, isMiddleware } from 'hono/utils/handler'

/** One registered handler as the router holds it. Hono makes it once, when the handler is registered. */
export type Target = [handler: Handler, route: RouterRoute]

/** What a request matched, in the order in which Hono reaches it. */
export type Match = readonly (readonly [target: Target, params: unknown])[]

/**
 * What a request matched, as Hono holds it itself.
 *
 * `hono/route` shows the routes of a match; what `compose` runs is `match[i][0][0]`, read when it reaches the
 * entry and not before. That is the one thing here that Hono does not document: the gate stands on it, so what
 * does not look like it is an error and never a free call.
 *
 * @throws FareboxError `BILLING_NOT_MOUNTED` where this version of Hono keeps its match elsewhere
 */
export function matchOf(c: Context): Match {
  // Found on the request itself, since Hono's ES and CommonJS builds each have a symbol of their own.
  const [key] = Object.getOwnPropertySymbols(Object.getPrototypeOf(c.req))
  const match = key && (c.req as unknown as Record<symbol, [Match] | undefined>)[key]?.[0]
  if (!Array.isArray(match)) throw unsupported()
  return match
}

export function unsupported(): FareboxError {
  return new FareboxError('BILLING_NOT_MOUNTED', '@farebox/hono does not know this version of hono: it cannot see which handler is reached, so nothing runs')
}

/** Whether a handler takes `next`, and so may pass a request on: what Hono calls a middleware. */
export function mayPassOn({ handler }: RouterRoute): boolean {
  return isMiddleware(findTargetHandler(handler))
}

/** Whether what stands in a match is what is expected there. */
export function isTarget(target: unknown): target is Target {
  return Array.isArray(target) && typeof target[0] === 'function' && typeof (target[1] as RouterRoute | undefined)?.path === 'string'
}
