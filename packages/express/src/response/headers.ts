import type { Response } from 'express'
import type { Head } from '@farebox/core/adapter'

type HeaderValue = string | number | readonly string[]

/** What core asks about a response's body. */
export function typeOf(res: Response): Pick<Head, 'contentType' | 'contentEncoding'> {
  const text = (name: string) => res.getHeader(name)?.toString()
  return { contentType: text('Content-Type'), contentEncoding: text('Content-Encoding') }
}

export function setAll(res: Response, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}

/** Sets what `writeHead` was given: an object, or an array of names and values in which a name may come more than once. */
export function setFields(res: Response, fields: unknown): void {
  if (!Array.isArray(fields)) {
    for (const [name, value] of Object.entries((fields ?? {}) as Record<string, HeaderValue>)) res.setHeader(name, value)
    return
  }
  const flat = fields.flat() as string[]
  for (let i = 0; i < flat.length; i += 2) res.removeHeader(flat[i]!)
  for (let i = 0; i < flat.length; i += 2) res.appendHeader(flat[i]!, flat[i + 1]!)
}

/** Corrects what the headers say of a body that has been replaced. */
export function describeAnew(res: Response, before: Buffer, after: Buffer): void {
  if (res.hasHeader('Content-Length')) res.setHeader('Content-Length', after.length)
  const etag = res.getHeader('ETag')?.toString()
  if (etag === undefined) return
  const tagOf = res.app.get('etag fn') as ((body: Buffer) => string) | undefined
  // A tag of the handler's own may stand for a version: it stays, and is weak from now on.
  res.setHeader('ETag', tagOf?.(before) === etag ? tagOf(after) : etag.replace(/^(?!W\/)/, 'W/'))
}

/** For a response without its body, of whose length and tag nothing is known any more. */
export function forgetLength(res: Response): void {
  res.removeHeader('Content-Length')
  res.removeHeader('ETag')
}
