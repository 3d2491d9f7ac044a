import type { Request } from 'express'
import { MAX_BODY_BYTES, type BodyRead } from '@farebox/core/adapter'

const unreadable = (reason: string): BodyRead => ({ kind: 'unreadable', reason })

/**
 * The body as the app's parser left it. Where no parser has had it yet, a JSON body is read here and put back, so
 * that one that comes later finds it whole.
 */
export async function readBody(req: Request): Promise<BodyRead> {
  const body: unknown = req.body
  if (!hasBody(req)) return { kind: 'parsed', value: isEmpty(body) ? undefined : body }
  // Express 4 says {} for a body that its parsers did not take.
  if (body !== undefined && (!isEmpty(body) || req.readableEnded)) return { kind: 'parsed', value: body }
  if (req.readableEnded || req.readableFlowing || req.readableEncoding) return unreadable('something before billing reads the body and leaves no req.body')
  if (!isPlainJson(req)) return unreadable('no parser has taken a body of this content type')
  return readAhead(req)
}

async function readAhead(req: Request): Promise<BodyRead> {
  const bytes = await peek(req)
  if (typeof bytes === 'string') return unreadable(bytes)
  if (bytes.length === 0) return { kind: 'parsed', value: undefined }
  try {
    return { kind: 'parsed', value: JSON.parse(new TextDecoder().decode(bytes)) }
  } catch (error) {
    return unreadable(`the body is no JSON: ${(error as Error).message}`)
  }
}

/** All bytes of a request, which stay in it to be read again; or why they can't be had. */
function peek(req: Request): Promise<Buffer | string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0

    const onReadable = () => {
      // Taking the last byte and putting all of them back happen in one turn: the request never ends in between.
      while (req.readableLength > 0 && length <= MAX_BODY_BYTES) {
        const chunk = req.read() as Buffer
        chunks.push(chunk)
        length += chunk.length
      }
      if (length > MAX_BODY_BYTES) finish(tooLong)
      else if (req.complete) finish(undefined)
    }
    const onClose = () => finish('the body was cut off')

    const finish = (fault: string | undefined) => {
      req.off('readable', onReadable).off('close', onClose)
      const bytes = Buffer.concat(chunks)
      if (length > 0 && !req.destroyed) req.unshift(bytes)
      resolve(fault ?? bytes)
    }

    if (req.destroyed) finish('the body was cut off')
    else if (req.complete) onReadable()
    else req.on('readable', onReadable).on('close', onClose)
  })
}

const tooLong = `the body is longer than ${MAX_BODY_BYTES} bytes: a parser before billing can take it`

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0
}

function isPlainJson({ headers }: Request): boolean {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';').map((part) => part.trim())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))
  return /^application\/(?:[\w.+-]+\+)?json$/.test(type)
    && (charset === undefined || /^charset="?(?:utf-8|us-ascii)"?$/.test(charset))
    && (headers['content-encoding'] ?? 'identity') === 'identity'
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Array.isArray(body) && !ArrayBuffer.isView(body) && Object.keys(body).length === 0
}
