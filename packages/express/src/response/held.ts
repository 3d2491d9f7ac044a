import type { Request, Response } from 'express'
import { carriesJson, type Exchange } from '@farebox/core/adapter'
import { bytesOf } from './arguments.js'
import { describeAnew, forgetLength, headersOf, setAll, typeOf } from './headers.js'
import type { StatusLine } from './head.js'
import { jsonIn } from './json-in.js'

/** The body of a response that is held back. */
export class Held {
  readonly #chunks: Buffer[] = []

  constructor(private readonly req: Request, private readonly res: Response, private readonly exchange: Exchange) {}

  add(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): void {
    this.#chunks.push(bytesOf(chunk, encoding))
  }

  /** Settles the call. Returns what completes the head and makes the body that is to be sent. */
  async settle({ status, message }: StatusLine, metering: boolean): Promise<() => Buffer> {
    const { req, res } = this
    const body = Buffer.concat(this.#chunks)
    const json = res.hasHeader('Content-Range') ? undefined : jsonIn(body, typeOf(res))
    const whole = () => ({ headers: headersOf(res, body, metering && json !== undefined), body })
    // To HEAD a handler of Express writes no body, which a GET with the same key is not to be told.
    const { headers, json: metered } = await this.exchange.close({ status, json: json?.text, ...(req.method !== 'HEAD' && { whole }) })
    return () => {
      res.statusCode = status
      res.statusMessage = message
      setAll(res, headers)
      const sent = json && metered !== undefined ? Buffer.from(json.wrap(metered)) : body
      if (sent !== body) describeAnew(res, body, sent)
      else if (req.method === 'HEAD' && metering && carriesJson(typeOf(res))) forgetLength(res)
      return sent
    }
  }
}
