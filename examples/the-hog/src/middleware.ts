import { randomUUID } from 'node:crypto'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { simulated, SIMULATED_ERROR } from 'example-support'
import { ZodError } from 'zod'

/** Names each request: in `X-Request-Id` and in the response's `meta`. */
export const requestId: RequestHandler = (_req, res, next) => {
  res.locals['requestId'] = randomUUID()
  res.set('X-Request-Id', res.locals['requestId'])
  next()
}

/** Obeys `x-simulate`. Stands in a route, before its handler. */
export const simulate: RequestHandler = async (req, res, next) => {
  const { fails } = await simulated(req.get('x-simulate'))
  const json = res.json
  if (fails) res.json = () => json.call(res.status(500), SIMULATED_ERROR)
  next()
}

/** Errors in the one form this API has for them. */
export const onError: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) return next(error)
  const { status, code, message } = told(error)
  if (status === 500) console.error(error)
  res.status(status).json({ error: { code, message, details: error instanceof ZodError ? { issues: error.issues } : {} } })
}

function told(error: unknown) {
  if (error instanceof ZodError) return { status: 422, code: 'INVALID_REQUEST', message: 'invalid input' }
  const { status, message } = error as { status?: unknown; message?: string }
  if (typeof status === 'number' && status >= 400 && status < 500) return { status, code: 'INVALID_REQUEST', message: message ?? 'invalid request' }
  return { status: 500, code: 'INTERNAL', message: 'something broke' }
}
