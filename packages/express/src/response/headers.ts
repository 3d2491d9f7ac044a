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

/** Sets the headers of a stream. The trailers that its handler has named stay named. */
export function announce(res: Response, { Trailer, ...headers }: Readonly<Record<string, string>>): void {
  setAll(res, headers)
  if (Trailer) res.appendHeader('Trailer', Trailer)
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
  const etag = tagIn(res)
  if (etag === undefined) return
  const tagOf = taggerOf(res)
  res.setHeader('ETag', tagOf?.(before) === etag ? tagOf(after) : weak(etag))
}

/** A tag to be made when it is known what is sent. */
const UNTOLD = ''

/** All headers to be kept with a body, each as one string; `changes` where metering is still to be added to that. */
export function headersOf(res: Response, body: Buffer, changes: boolean): Record<string, string> {
  const headers = Object.fromEntries(Object.entries(res.getHeaders()).map(([name, value]) => [name, [value].flat().join(', ')]))
  const { etag } = headers
  if (etag === undefined || !changes) return headers
  return { ...headers, etag: taggerOf(res)?.(body) === etag ? UNTOLD : weak(etag) }
}

/** Gives a body that was kept without its tag the one that the app makes for it. */
export function tagAnew(res: Response, body: string | Uint8Array): void {
  if (tagIn(res) !== UNTOLD) return
  const tag = taggerOf(res)?.(Buffer.from(body))
  if (tag === undefined) res.removeHeader('ETag')
  else res.setHeader('ETag', tag)
}

function tagIn(res: Response): string | undefined {
  return res.getHeader('ETag')?.toString()
}

/** How the app makes tags, if it does. */
function taggerOf(res: Response): ((body: Buffer) => string) | undefined {
  return res.app.get('etag fn') as ((body: Buffer) => string) | undefined
}

/** A tag of the handler's own may stand for a version: it stays, and is weak from now on. */
function weak(etag: string): string {
  return etag.replace(/^(?!W\/)/, 'W/')
}

/** For a response without its body, of whose length and tag nothing is known any more. */
export function forgetLength(res: Response): void {
  res.removeHeader('Content-Length')
  res.removeHeader('ETag')
}
