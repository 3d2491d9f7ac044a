import { MAX_BODY_BYTES, type BodyRead } from '@farebox/core/adapter'
import type { Context } from 'hono'
import { parseBody } from 'hono/utils/body'
import { readAll } from './bytes.js'

/** Reads the body as a handler would, from a copy: `c.req` and `c.req.raw` stay as they are for the handler. */
export async function readBody(c: Context): Promise<BodyRead> {
  try {
    const bytes = await read(c)
    return bytes ? await parse(c, bytes) : unreadable(`the body is larger than ${MAX_BODY_BYTES} bytes`)
  } catch (error) {
    return unreadable(`the body can't be read: ${(error as Error).message}`)
  }
}

/** `undefined` where it is too large. */
async function read(c: Context): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (Number(c.req.header('content-length')) > MAX_BODY_BYTES) return undefined
  if (!c.req.raw.bodyUsed) {
    const { body } = c.req.raw.clone()
    return body ? readAll(body, MAX_BODY_BYTES) : new Uint8Array()
  }
  // A middleware before billing has read it through `c.req`, which keeps it.
  const bytes = new Uint8Array(await c.req.arrayBuffer())
  return bytes.byteLength > MAX_BODY_BYTES ? undefined : bytes
}

async function parse(c: Context, bytes: Uint8Array<ArrayBuffer>): Promise<BodyRead> {
  if (bytes.byteLength === 0) return { kind: 'parsed', value: undefined }
  const contentType = c.req.header('content-type') ?? ''
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase()
  if (/^application\/(?:[\w.+-]+\+)?json$/.test(mediaType)) {
    return { kind: 'parsed', value: JSON.parse(new TextDecoder().decode(bytes)) as unknown }
  }
  if (mediaType === 'multipart/form-data' || mediaType === 'application/x-www-form-urlencoded') {
    const form = new Request(c.req.url, { method: 'POST', headers: { 'Content-Type': contentType }, body: bytes })
    return { kind: 'parsed', value: await (c.req.raw.bodyUsed ? c.req.parseBody() : parseBody(form)) }
  }
  return unreadable(`expected a JSON or form body, got ${mediaType || 'no Content-Type'}`)
}

function unreadable(reason: string): BodyRead {
  return { kind: 'unreadable', reason }
}
