import { MAX_BODY_BYTES, type BodyRead } from '@farebox/core/adapter'
import type { Context } from 'koa'

type Request = Context['req']

const parsed = (value: unknown): BodyRead => ({ kind: 'parsed', value })
const unreadable = (reason: string): BodyRead => ({ kind: 'unreadable', reason })

/** Reads the body as the handler will find it in `ctx.request.body`: as the parser left it, or from the bytes where no parser has run yet. */
export async function readBody(ctx: Context): Promise<BodyRead> {
  const { body } = ctx.request as { readonly body?: unknown }
  const { req } = ctx
  if (!hasBody(req)) return parsed(body ?? {})
  if (body !== undefined) {
    // Parsers say {} for what they did not read.
    return isEmpty(body) && !req.readableDidRead ? unreadable(`the body parser takes no ${typeOf(ctx)}`) : parsed(body)
  }
  if (req.readableDidRead || req.readableFlowing || req.destroyed) return unreadable('the body was read before billing, and not into ctx.request.body')
  return readBytes(ctx)
}

async function readBytes(ctx: Context): Promise<BodyRead> {
  // What every parser reads alike: with another type or charset the handler may be given something else than was priced.
  if (!/^application\/json *(?:; *charset="?utf-?8"?)?$/i.test(ctx.get('content-type')) || !/^(?:identity)?$/i.test(ctx.get('content-encoding'))) {
    return unreadable(`expected a body of application/json, got ${typeOf(ctx)}; for others, mount the body parser before billing`)
  }
  const bytes = await peek(ctx.req)
  if (!bytes) return unreadable(`the body did not arrive, or is larger than ${MAX_BODY_BYTES} bytes`)
  if (bytes.length === 0) return parsed({})
  try {
    return parsed(JSON.parse(bytes.toString()) as unknown)
  } catch (error) {
    return unreadable(`the body is no JSON: ${(error as Error).message}`)
  }
}

/**
 * Reads a request to its end and puts it all back, so that whoever reads it next finds it untouched.
 *
 * @returns `undefined` when it is larger than allowed or breaks off
 */
function peek(req: Request): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (whole: boolean) => {
      req.off('readable', read).off('error', breakOff).off('close', breakOff)
      const bytes = Buffer.concat(chunks)
      // In the same tick as the last read: afterwards the stream has told its end, and takes nothing back.
      if (size > 0 && !req.destroyed) req.unshift(bytes)
      resolve(whole ? bytes : undefined)
    }
    const breakOff = () => finish(false)
    const read = () => {
      // Never asked for more than it has: reading an empty stream makes it tell its end.
      while (req.readableLength > 0 && size <= MAX_BODY_BYTES) {
        const chunk = req.read() as Buffer
        chunks.push(chunk)
        size += chunk.length
      }
      if (size > MAX_BODY_BYTES) finish(false)
      else if (req.complete) finish(true)
    }
    if (req.complete) read()
    else req.on('readable', read).on('error', breakOff).on('close', breakOff)
  })
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0
}

function typeOf(ctx: Context): string {
  return ctx.get('content-type') || 'no Content-Type'
}
