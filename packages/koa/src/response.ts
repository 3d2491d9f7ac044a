import { finished, type Stream } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Exchange } from '@farebox/core/adapter'
import type { Context } from 'koa'

type Source = NodeJS.ReadableStream | ReadableStream

/** Settles a call whose handlers have returned: before its response leaves, or at the end of one that streams or is written past Koa. */
export async function settle(ctx: Context, exchange: Exchange): Promise<void> {
  if (!exchange.billed) return
  if (ctx.respond === false) return settleAtEnd(ctx, exchange)
  const stream = streamOf(ctx.body)
  const head = { status: ctx.status, contentType: headerOf(ctx, 'Content-Type'), contentEncoding: headerOf(ctx, 'Content-Encoding'), whole: !stream }
  if (exchange.holds(head)) return settleHeld(ctx, exchange, stream)
  return settleAtEnd(ctx, exchange)
}

/** Settles a call that ended in an error; whoever answers it, the answer tells what it cost. */
export async function settleThrown({ res, status }: Context, exchange: Exchange): Promise<void> {
  if (!exchange.billed) return
  exchange.threw()
  const { headers } = await exchange.close({ status })
  // Not set at once: Koa's own error handling takes off every header there is.
  const { writeHead } = res
  res.writeHead = ((...head: Parameters<typeof writeHead>) => {
    setHeaders(res, headers)
    return writeHead.apply(res, head)
  }) as typeof writeHead
}

async function settleHeld(ctx: Context, exchange: Exchange, stream: Source | undefined): Promise<void> {
  let json: string | undefined
  try {
    if (stream && isJson(ctx)) ctx.body = await buffer(stream)
    json = stream && !isJson(ctx) ? undefined : jsonOf(ctx)
  } catch {
    // Koa meets the same error when it sends the body, and answers it. A caller who has left is no failure.
    return ctx.res.destroyed ? void await exchange.close({ status: ctx.status }) : settleThrown(ctx, exchange)
  }
  const closing = await exchange.close({ status: ctx.status, json })
  if (ctx.headerSent) return
  if (closing.json !== undefined) putMetering(ctx, closing.json)
  ctx.set(closing.headers)
}

/** The one place where bytes that Koa does not hold can be waited for is the end of the response; only that is held back. */
async function settleAtEnd(ctx: Context, exchange: Exchange, head = { status: ctx.status, contentType: headerOf(ctx, 'Content-Type'), contentEncoding: headerOf(ctx, 'Content-Encoding') }): Promise<void> {
  const { res } = ctx
  let closing: ReturnType<Exchange['close']> | undefined
  const close = () => (closing ??= exchange.close({ status: res.statusCode }))
  const fail = () => {
    exchange.threw()
    void close()
  }
  if (res.writableEnded || res.destroyed) return void await close()
  ctx.set(exchange.stream({ ...head, canTrail: false, canGrow: false }))
  const { end } = res
  res.end = ((...last: Parameters<typeof end>) => {
    close().then(({ headers }) => {
      setHeaders(res, headers)
      end.apply(res, last)
    }).catch((error: Error) => res.destroy(error))
    return res
  }) as typeof end
  // An error on the response is its producer's; a caller who leaves makes none, and closes it before its source.
  res.once('close', () => (res.errored ? fail() : void close()))
  if (isNodeStream(ctx.body)) finished(ctx.body, { writable: false }, (error) => error && fail())
}

/** The JSON text that Koa is going to send. Throws where Koa will. */
function jsonOf(ctx: Context): string | undefined {
  const { body } = ctx
  if (body === null || body === undefined) return undefined
  if (typeof body === 'string' || Buffer.isBuffer(body)) return isJson(ctx) ? body.toString() : undefined
  const text = JSON.stringify(body) as string | undefined
  if (text === undefined) throw new TypeError(`a ${typeof body} has no JSON`)
  return text
}

/** Puts the text with metering in the place of a body, in the form that it had: middleware outside of billing may go on with it. */
function putMetering(ctx: Context, json: string): void {
  const { body } = ctx
  const etag = headerOf(ctx, 'ETag')
  replaceBody(ctx, typeof body === 'string' ? json : Buffer.isBuffer(body) ? Buffer.from(json) : JSON.parse(json))
  // It was computed inside of billing, from the body without metering: that is the same in meaning, not in bytes.
  if (etag && !etag.startsWith('W/')) ctx.set('ETag', `W/${etag}`)
}

/** Replaces a body and not its type, which Koa chooses again with it. The status is one that Koa leaves alone: it was set with the first body. */
function replaceBody(ctx: Context, body: unknown): void {
  const contentType = headerOf(ctx, 'Content-Type')
  ctx.body = body
  if (contentType) ctx.set('Content-Type', contentType)
  else ctx.remove('Content-Type')
}

/** What Koa sends piece by piece, as something to read. */
function streamOf(body: unknown): Source | undefined {
  if (body instanceof ReadableStream || isNodeStream(body)) return body
  if (body instanceof Blob) return body.stream()
  if (body instanceof Response) return body.body ?? new Blob([]).stream()
  return undefined
}

function isNodeStream(body: unknown): body is NodeJS.ReadableStream & Stream {
  return typeof (body as Partial<Stream> | null | undefined)?.pipe === 'function'
}

function isJson(ctx: Context): boolean {
  return ctx.response.is('json', '+json') !== false && /^identity$/i.test(headerOf(ctx, 'Content-Encoding') ?? 'identity')
}

/** For what is absent, Koa 2 says '' and Koa 3 nothing, whatever its types say. */
function headerOf(ctx: Context, name: string): string | undefined {
  return ctx.response.get(name) || undefined
}

function setHeaders(res: Context['res'], headers: Readonly<Record<string, string>>): void {
  if (res.headersSent) return
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
}
