import type { Request, Response } from 'express'
import type { Logger } from '@farebox/core'
import { carriesJson, type Exchange } from '@farebox/core/adapter'
import { describeAnew, forgetLength, setAll, setFields, typeOf } from './headers.js'
import { jsonIn } from './json-in.js'
import { lookSent, sentAlready } from './look-sent.js'

type Callback = (error?: Error | null) => void

type Under = Record<'writeHead' | 'write' | 'end' | 'flushHeaders' | '_implicitHeader', (...args: unknown[]) => unknown>

/** The status line as it was when the handler sent it. */
interface Head {
  readonly status: number
  readonly message: string
}

/**
 * A response that is held back until its call is settled, if billing wants that; else it passes, and its end
 * settles the call. Every way of writing one comes down to writeHead, write and end.
 *
 * To its handler a held response looks sent: `headersSent` is true, and another one throws.
 */
export class Reply {
  /** Whether the route adds metering to its body. */
  metering = false
  readonly #under: Under
  readonly #chunks: Buffer[] = []
  #mode: 'open' | 'held' | 'passing' = 'open'
  #head: Head | undefined
  #restore = () => {}
  #sent: Promise<void> | undefined

  constructor(
    private readonly req: Request,
    private readonly res: Response,
    private readonly exchange: Exchange,
    private readonly logger: Logger,
  ) {
    const { writeHead, write, end, flushHeaders, _implicitHeader } = res as Response & { _implicitHeader(): void }
    this.#under = { writeHead, write, end, flushHeaders, _implicitHeader } as Under
    Object.assign(res, {
      writeHead: (...args: unknown[]) => this.#writeHead(args),
      write: (...args: unknown[]) => this.#write(args),
      end: (...args: unknown[]) => this.#end(args),
      flushHeaders: () => this.#flushHeaders(),
      // Node asks for the head here, for bytes that it got past billing: they are on their way.
      _implicitHeader: () => {
        if (this.#mode === 'open') this.#letPass(this.#head ?? this.#currentHead())
        this.#pass('_implicitHeader', [])
      },
    })
    res.once('close', () => {
      // It has been sent, or its caller has left. One that had not begun is still being made, and will end.
      if (this.#head || res.headersSent) this.#close()
    })
  }

  /** Resolves when a response that has ended is on its way. */
  answered(): Promise<void> {
    return this.#sent ?? Promise.resolve()
  }

  #writeHead(args: unknown[]): unknown {
    if (this.#mode === 'passing') return this.#pass('writeHead', args)
    if (this.#head) throw sentAlready('write')
    const status = Number(args[0]) | 0
    const [message, fields] = typeof args[1] === 'string' ? [args[1], args[2]] : [undefined, args[1]]
    if (!isStatus(status)) return this.#pass('writeHead', args)
    setFields(this.res, fields)
    this.res.statusCode = status
    if (message !== undefined) this.res.statusMessage = message
    this.#begin({ status, message: this.res.statusMessage })
    return this.res
  }

  #flushHeaders(): void {
    if (this.#mode === 'open') this.#decide(false)
    if (this.#mode === 'passing') this.#pass('flushHeaders', [])
  }

  #write(args: unknown[]): unknown {
    if (this.#mode === 'passing') return this.#pass('write', args)
    const [chunk, encoding, callback] = argumentsOf(args)
    if (this.#mode === 'open') this.#decide(false)
    if (this.#mode !== 'held') return this.#pass('write', args)
    if (this.#sent) {
      if (callback) process.nextTick(callback, writtenAfterEnd())
      return false
    }
    this.#chunks.push(bytesOf(chunk, encoding))
    if (callback) process.nextTick(callback)
    return true
  }

  #end(args: unknown[]): unknown {
    if (this.#mode === 'passing') return this.#pass('end', args)
    const [chunk, encoding, callback] = argumentsOf(args, '')
    if (this.#mode === 'open') this.#decide(true)
    if (this.#mode !== 'held') return this.#pass('end', args)
    if (this.#sent) {
      if (callback) process.nextTick(callback, writtenAfterEnd())
      return this.res
    }
    this.#chunks.push(bytesOf(chunk, encoding))
    if (callback) this.res.once('finish', callback)
    this.res.finished = true
    this.#sent = this.#settle(this.#head!)
    return this.res
  }

  /** Decides once whether to hold; `whole` when the handler has given all of the body. */
  #decide(whole: boolean): void {
    const { res } = this
    const head = this.#head ?? this.#currentHead()
    // A middleware has begun it before the route was reached: there is nothing left to hold.
    const begun = !this.#head && res.headersSent
    if (!begun && isSendable(this.req, res, head.status) && this.exchange.holds({ status: head.status, ...typeOf(res), whole })) {
      this.#mode = 'held'
      if (!this.#head) this.#begin(head)
      return
    }
    const writesHead = this.#head !== undefined
    this.#letPass(head)
    if (writesHead) this.#pass('writeHead', [head.status, head.message])
  }

  #currentHead(): Head {
    return { status: Number(this.res.statusCode) | 0, message: this.res.statusMessage }
  }

  #letPass(head: Head): void {
    this.#mode = 'passing'
    this.#head = head
    this.#restore()
    if (!this.res.headersSent) setAll(this.res, this.exchange.stream({ status: head.status, ...typeOf(this.res), canTrail: false, canGrow: false }))
  }

  #begin(head: Head): void {
    this.#head = head
    this.#restore = lookSent(this.res)
  }

  #pass(method: keyof Under, args: unknown[]): unknown {
    try {
      return this.#under[method].apply(this.res, args)
    } catch (error) {
      // Node refused it and nothing has left: what is written next, an error's response, is looked at anew.
      if (!this.res.headersSent) {
        this.#mode = 'open'
        this.#head = undefined
      }
      throw error
    }
  }

  async #settle({ status, message }: Head): Promise<void> {
    const { req, res } = this
    const body = Buffer.concat(this.#chunks)
    const json = res.hasHeader('Content-Range') ? undefined : jsonIn(body, typeOf(res))
    const { headers, json: metered } = await this.exchange.close({ status, json: json?.text })
    this.#restore()
    this.#mode = 'passing'
    try {
      res.finished = false
      res.statusCode = status
      res.statusMessage = message
      setAll(res, headers)
      const sent = json && metered !== undefined ? Buffer.from(json.wrap(metered)) : body
      if (sent !== body) describeAnew(res, body, sent)
      else if (req.method === 'HEAD' && this.metering && carriesJson(typeOf(res))) forgetLength(res)
      this.#under.end.apply(res, sent.length > 0 ? [sent] : [])
    } catch (error) {
      this.logger.error('farebox: a settled response could not be sent', error)
      res.destroy()
    }
  }

  #close(): void {
    void this.exchange.close({ status: this.#head?.status ?? this.res.statusCode })
    if (this.#sent || this.#mode === 'passing') return
    this.#restore()
    this.#mode = 'passing'
  }
}

/** What `write` was given, or `end`, to which nothing is `empty`. Anything but text and bytes throws, as it does in Node: before the response has begun. */
function argumentsOf(args: unknown[], empty?: string): [chunk: string | Uint8Array, encoding: BufferEncoding | undefined, callback: Callback | undefined] {
  const callback = args.find((arg) => typeof arg === 'function') as Callback | undefined
  const [given, encoding] = args.filter((arg) => typeof arg !== 'function')
  const chunk = given || (empty ?? given)
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return [chunk, encoding as BufferEncoding | undefined, callback]
  throw Object.assign(new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.'), { code: 'ERR_INVALID_ARG_TYPE' })
}

function bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
}

function writtenAfterEnd(): Error {
  return Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })
}

function isStatus(status: number): boolean {
  return status >= 200 && status <= 999
}

/** Whether Node will send it; where not, it throws while the handler still can see it. */
function isSendable(req: Request, res: Response, status: number): boolean {
  if (!isStatus(status)) return false
  const chunked = !res.hasHeader('Content-Length') && status !== 204 && status !== 304 && req.method !== 'HEAD'
  return chunked || !res.hasHeader('Trailer')
}
