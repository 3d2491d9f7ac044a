import type { Head } from '@farebox/core/adapter'
import type { Context } from 'koa'

type Res = Context['res']

/** What core asks about a response's body. */
export function typeOf(res: Res): Pick<Head, 'contentType' | 'contentEncoding'> {
  return { contentType: headerOf(res, 'Content-Type'), contentEncoding: headerOf(res, 'Content-Encoding') }
}

export function headerOf(res: Res, name: string): string | undefined {
  return res.getHeader(name)?.toString()
}

/** Every header as one text. */
export function headersOf(res: Res): Record<string, string> {
  return Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : String(value)]))
}

export function setHeaders(res: Res, headers: Readonly<Record<string, string>>): void {
  if (res.headersSent) return
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

/** Sets what `writeHead` was given: an object, or an array of names and values in which a name may come more than once. */
export function setFields(res: Res, fields: unknown): void {
  if (!Array.isArray(fields)) {
    for (const [name, value] of Object.entries((fields ?? {}) as Record<string, string>)) res.setHeader(name, value)
    return
  }
  const flat = fields.flat() as string[]
  for (let i = 0; i < flat.length; i += 2) res.removeHeader(flat[i]!)
  for (let i = 0; i < flat.length; i += 2) res.appendHeader(flat[i]!, flat[i + 1]!)
}

/** An entity tag that was computed from the body without metering: with it the body is the same in meaning, not in bytes. */
export function weaken(res: Res): void {
  const etag = headerOf(res, 'ETag')
  if (etag && !etag.startsWith('W/')) res.setHeader('ETag', `W/${etag}`)
}

export function hasBody({ req, res }: Pick<Context, 'req' | 'res'>): boolean {
  return req.method !== 'HEAD' && res.statusCode !== 204 && res.statusCode !== 205 && res.statusCode !== 304
}

/** Whether bytes can be added behind the last: its length has not been told. */
export function canGrow(ctx: Pick<Context, 'req' | 'res'>): boolean {
  return hasBody(ctx) && !ctx.res.hasHeader('Content-Length')
}

/** Whether the response is going to be chunked, as it has to be for trailers. */
export function canTrail(ctx: Pick<Context, 'req' | 'res'>): boolean {
  return canGrow(ctx) && ctx.req.httpVersion === '1.1'
}
