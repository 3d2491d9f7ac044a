import { Readable } from 'node:stream'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { billable, billing } from '@farebox/koa'
import Koa, { type Context, type Next } from 'koa'
import { optionsOf, splitRoute, type AppRoute, type Framework, type HandlerAnswer, type HandlerRequest } from './app.js'
import { signalOf } from './signal.js'

/** Apps of Koa with @koa/router. */
export const koaApps: Framework = ({ billing: options, routes }) => {
  const app = new Koa()
  app.silent = true
  const bill = options && billing(optionsOf<Context>(options, (ctx) => ({ header: (name) => ctx.get(name) || undefined })))
  app.use(bodyParser())
  app.use(routerOf(routes.filter(({ early }) => early)).routes())
  if (bill) app.use(bill)
  app.use(routerOf(routes.filter(({ early }) => !early)).routes())
  return { listener: app.callback(), billing: bill && { ...bill, report: () => bill.routes(app) } }
}

function routerOf(routes: readonly AppRoute[]): Router {
  const router = new Router()
  for (const { route, handler, billable: terms } of routes) {
    const { method, path } = splitRoute(route)
    router.register(path, [method], [
      ...(terms ? [billable(terms)] : []),
      async (ctx: Context, next: Next) => send(ctx, next, await handler(readable(ctx))),
    ])
  }
  return router
}

function readable(ctx: Context): HandlerRequest {
  return { params: ctx.params as Record<string, string>, body: ctx.request.body, header: (name) => ctx.get(name) || undefined, signal: signalOf(ctx.res) }
}

async function send(ctx: Context, next: Next, { status = 200, headers = {}, json, text, bytes, chunks, passesOn }: HandlerAnswer): Promise<void> {
  if (passesOn) return next() as Promise<void>
  ctx.status = status
  ctx.set(headers)
  if (json !== undefined) ctx.body = json
  else if (text !== undefined) ctx.body = text
  else if (bytes) ctx.body = Buffer.from(bytes)
  else if (chunks) ctx.body = Readable.from(chunks, { objectMode: false })
  return undefined
}
