import { billable, billing } from '@farebox/hono'
import { getRequestListener } from '@hono/node-server'
import { Hono, type Context, type Next } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { optionsOf, splitRoute, type AppRoute, type Framework, type HandlerAnswer, type HandlerRequest } from './app.js'

/** Apps of Hono on Node. */
export const honoApps: Framework = ({ billing: options, routes }) => {
  const app = new Hono()
  const bill = options && billing(optionsOf<Context>(options, (c) => ({ header: (name) => c.req.header(name) })))
  const register = ({ route, handler, billable: terms }: AppRoute) => {
    const { method, path } = splitRoute(route)
    const answer = async (c: Context, next: Next) => send(c, next, await handler(await readable(c)))
    if (terms) app.on(method.toUpperCase(), path, billable(terms), answer)
    else app.on(method.toUpperCase(), path, answer)
  }
  app.onError((_, c) => c.text('Internal Server Error', 500))
  routes.filter(({ early }) => early).forEach(register)
  if (bill) app.use(bill)
  routes.filter(({ early }) => !early).forEach(register)
  // Middleware of Hono never sees its app, so whoever wants the start-up report asks for it.
  bill?.routes(app)
  return { listener: getRequestListener(app.fetch), billing: bill && { ...bill, report: () => bill.routes(app) } }
}

async function readable(c: Context): Promise<HandlerRequest> {
  const body: unknown = c.req.header('content-type')?.includes('json') ? await c.req.json() : undefined
  return { params: c.req.param() as Record<string, string>, body, header: (name) => c.req.header(name), signal: c.req.raw.signal }
}

async function send(c: Context, next: Next, { status = 200, headers = {}, json, text, bytes, chunks, passesOn }: HandlerAnswer): Promise<Response | void> {
  if (passesOn) return next()
  const code = status as ContentfulStatusCode
  if (json !== undefined) return c.json(json, code, headers)
  if (text !== undefined) return c.text(text, code, headers)
  if (bytes) return c.body(bytes, code, headers)
  if (chunks) return c.body(streamOf(chunks), code, headers)
  return c.body(null, code, headers)
}

function streamOf(chunks: NonNullable<HandlerAnswer['chunks']>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
    },
    cancel() {
      void iterator.return?.()
    },
  })
}
