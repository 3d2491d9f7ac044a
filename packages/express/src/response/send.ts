import type { Request, Response } from 'express'
import type { Answer } from '@farebox/core/adapter'
import { hasBody } from './head.js'
import { tagAnew } from './headers.js'

/** Writes an answer of billing's own. Its headers replace what was set before. */
export function send(req: Request, res: Response, { status, headers, body }: Answer): void {
  res.statusCode = status
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  tagAnew(res, body)
  // Of what has no body only the length of one that it would have may be told (RFC 9110, section 8.6).
  if (body.length > 0 || hasBody(req.method, status)) res.setHeader('Content-Length', Buffer.byteLength(body))
  else res.removeHeader('Content-Length')
  res.end(req.method === 'HEAD' ? undefined : body)
}
