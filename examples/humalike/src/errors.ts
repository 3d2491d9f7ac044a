import type { Context } from 'hono'
import { ZodError } from 'zod'

/** Errors in the one form this API has for them. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof ZodError) return c.json({ error: { code: 'INVALID_REQUEST', message: 'invalid input', details: { issues: error.issues } } }, 422)
  if (error instanceof SyntaxError) return c.json({ error: { code: 'INVALID_REQUEST', message: 'the body is not JSON', details: {} } }, 422)
  console.error(error)
  return c.json({ error: { code: 'INTERNAL', message: 'something broke', details: {} } }, 500)
}
