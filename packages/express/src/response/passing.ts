import type { Request, Response } from 'express'
import type { Exchange } from '@farebox/core/adapter'
import { bytesOf } from './arguments.js'
import { canGrow, canTrail, type StatusLine } from './head.js'
import { announce, typeOf } from './headers.js'

/** A response that streams through. */
export class Passing {
  /** The handler's own trailers, in pairs. */
  #trailers: readonly [name: string, value: string][] = []
  readonly #addTrailers: Response['addTrailers']

  constructor(private readonly req: Request, private readonly res: Response, private readonly exchange: Exchange) {
    this.#addTrailers = res.addTrailers.bind(res)
    res.addTrailers = (trailers) => {
      this.#trailers = Array.isArray(trailers) ? trailers : Object.entries(trailers) as [string, string][]
      this.#addTrailers(trailers)
    }
  }

  begin({ status }: StatusLine): void {
    const { req, res } = this
    const begun = res.headersSent
    const length = Number(res.getHeader('Content-Length'))
    const can = { canTrail: !begun && canTrail(req, res, status), canGrow: canGrow(req, res, status) }
    const headers = this.exchange.stream({ status, ...typeOf(res), ...can, length })
    if (!begun) announce(res, headers)
  }

  passed(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    this.exchange.passed(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
  }

  /** Settles the call with the bytes that its handler gave last. Returns what completes the trailers and makes the last bytes that are to be sent. */
  async settle({ status }: StatusLine, chunk: string | Uint8Array, encoding: BufferEncoding | undefined): Promise<() => Buffer> {
    const last = bytesOf(chunk, encoding)
    this.passed(last, undefined)
    const { trailers, tail = '' } = await this.exchange.end(status)
    return () => {
      const told = Object.entries(trailers)
      if (told.length > 0) this.#addTrailers([...this.#trailers, ...told])
      return Buffer.concat([last, Buffer.from(tail)])
    }
  }
}
