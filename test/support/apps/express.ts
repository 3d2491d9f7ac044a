import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { billable, billing } from '@farebox/express'
import type express from 'express'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { optionsOf, splitRoute, type AppRoute, type Framework, type Handler, type HandlerAnswer, type HandlerRequest } from './app.js'
import { signalOf } from './signal.js'

/** Apps of Express, in the version that is given. */
export function expressApps(version: typeof express): Framework {
  return ({ billing: options, routes }) => {
    const app = version()
    const bill = options && billing(optionsOf<Request>(options, (req) => ({ header: (name) => req.get(name) })))
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
    const answer = handler(readable(req, res))
    if (answer instanceof Promise) answer.then((answer) => send(res, next, answer)).catch(next)
    else send(res, next, answer)?.catch(next)
  }
}

function readable(req: Request, res: Response): HandlerRequest {
  return { params: req.params as Record<string, string>, body: req.body as unknown, header: (name) => req.get(name), signal: signalOf(res) }
}

function send(res: Response, next: NextFunction, { status = 200, headers = {}, json, text, bytes, chunks, passesOn }: HandlerAnswer): Promise<void> | undefined {
  if (passesOn) return void next()
  res.status(status).set(headers)
  if (chunks) return res.get('content-type')?.startsWith('text/event-stream') ? write(res, chunks) : pipeline(Readable.from(chunks), res)
  if (json !== undefined) res.json(json)
  else if (text !== undefined) res.send(text)
  else if (bytes) res.send(Buffer.from(bytes))
  else res.end()
  return undefined
}

/** Server-sent events are written by hand. It goes on when the client has left, as most such handlers do. */
async function write(res: Response, chunks: NonNullable<HandlerAnswer['chunks']>): Promise<void> {
  for await (const chunk of chunks) {
    if (!res.write(chunk) && !res.destroyed) await drained(res)
  }
  res.end()
}

function drained(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      res.off('drain', go).off('close', go)
      resolve()
    }
    res.on('drain', go).on('close', go)
  })
}
