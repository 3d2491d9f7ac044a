import type { Stream } from 'node:stream'
import { carriesJson } from '@farebox/core/adapter'
import type { Context } from 'koa'
import { headerOf, hasBody, typeOf, weaken } from './headers.js'
import type { Source } from './tapped.js'

/** What Koa sends piece by piece, as something to read. */
export function streamOf(body: unknown): Source | undefined {
  if (body instanceof ReadableStream || isNodeStream(body)) return body
  if (body instanceof Blob) return body.stream()
  if (body instanceof Response) return body.body ?? new Blob([]).stream()
  return undefined
}

export function isNodeStream(body: unknown): body is NodeJS.ReadableStream & Stream {
  return typeof (body as Partial<Stream> | null | undefined)?.pipe === 'function'
}

/** What Koa is going to send of a body that is no stream. Throws where Koa will. */
export function wholeOf(ctx: Context): string | Buffer {
  const { body } = ctx
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body
  if (body === null || body === undefined) return isNull(ctx) ? '' : ctx.message
  const text = JSON.stringify(body) as string | undefined
  if (text === undefined) throw new TypeError(`a ${typeof body} has no JSON`)
  return text
}

/** The JSON text that Koa is going to send. Throws where Koa will. */
export function jsonOf(ctx: Context): string | undefined {
  const { body } = ctx
  if (body === null || body === undefined) return undefined
  const whole = wholeOf(ctx)
  const isText = typeof body === 'string' || Buffer.isBuffer(body)
  return !isText || carriesJson(typeOf(ctx.res)) ? whole.toString() : undefined
}

/** Puts the text with metering in the place of a body, in the form that it had: middleware outside of billing may go on with it. */
export function putMetering(ctx: Context, json: string): void {
  const { body } = ctx
  replaceBody(ctx, typeof body === 'string' ? json : Buffer.isBuffer(body) ? Buffer.from(json) : JSON.parse(json))
  weaken(ctx.res)
}

/** Puts another stream in the place of one. Not by Koa's setter, which takes the first for done with and drops its length. */
export function replaceStream(ctx: Context, stream: NodeJS.ReadableStream): void {
  Reflect.set(ctx.response, '_body', stream)
}

/** Replaces a body and not its type, which Koa chooses again with it. The status is one that Koa leaves alone: it was set with the first body. */
function replaceBody(ctx: Context, body: unknown): void {
  const contentType = headerOf(ctx.res, 'Content-Type')
  ctx.body = body
  if (contentType) ctx.set('Content-Type', contentType)
  else ctx.remove('Content-Type')
}

/** For no body Koa sends the words of the status, unless it was told so expressly. */
function isNull(ctx: Context): boolean {
  return !hasBody(ctx) || Reflect.get(ctx.response, '_explicitNullBody') === true
}
