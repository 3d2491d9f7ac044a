import { Readable } from 'node:stream'
import { billable, billing } from '@farebox/express'
import type express from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { splitRoute, type AppRoute, type Framework, type Handler, type HandlerAnswer } from './app.js'

/** Apps of Express, in the version that is given. */
export function expressApps(version: typeof express): Framework {
  return ({ billing: options, routes }) => {
    const app = version()
    const bill = options && billing({ ...options, account: (req) => req.get('x-account') })
    const register = ({ route, handler, billable: terms }: AppRoute) => {
      const { method, path } = splitRoute(route)
      app[method as 'post'](path, ...(terms ? [billable(terms)] : []), handlerOf(handler))
    }
    app.use(version.json())
    routes.filter(({ early }) => early).forEach(register)
    if (bill) app.use(bill)
    routes.filter(({ early }) => !early).forEach(register)
    return { listener: app, billing: bill && { ...bill, report: () => bill.routes(app) } }
  }
}

/** Express 4 leaves a rejected promise to the handler; passing it to `next` is right in both. */
function handlerOf(handler: Handler): RequestHandler {
  return (req, res, next) => {
    const answer = handler(readable(req))
    if (answer instanceof Promise) answer.then((answer) => send(res, answer)).catch(next)
    else send(res, answer)
  }
}

function readable(req: Request) {
  return { params: req.params as Record<string, string>, body: req.body as unknown, header: (name: string) => req.get(name) }
}

function send(res: Response, { status = 200, headers = {}, json, text, chunks }: HandlerAnswer): void {
  res.status(status).set(headers)
  if (json !== undefined) res.json(json)
  else if (text !== undefined) res.send(text)
  else if (chunks) Readable.from(chunks).pipe(res)
  else res.end()
}
