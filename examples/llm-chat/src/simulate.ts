import type { Middleware } from 'koa'
import { simulated, SIMULATED_ERROR } from 'example-support'

/** Obeys `x-simulate`. Stands in a route, before its handler. */
export const simulate: Middleware = async (ctx, next) => {
  const { fails } = await simulated(ctx.get('x-simulate'))
  await next()
  if (!fails) return
  ctx.status = 500
  ctx.body = SIMULATED_ERROR
}
