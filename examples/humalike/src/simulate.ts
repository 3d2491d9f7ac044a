import type { MiddlewareHandler } from 'hono'
import { simulated, SIMULATED_ERROR } from 'example-support'

/** Obeys `x-simulate`. Stands in a route, before its handler. */
export const simulate: MiddlewareHandler = async (c, next) => {
  const { fails } = await simulated(c.req.header('x-simulate'))
  await next()
  if (!fails) return
  c.res = undefined // else Hono keeps the headers of the answer that was there
  c.res = c.json(SIMULATED_ERROR, 500)
}
