import { carriesJson, type Exchange } from '@farebox/core/adapter'
import type { Context } from 'koa'
import { canGrow, canTrail, headersOf, setFields, setHeaders, typeOf, weaken } from './headers.js'

type Chunk = string | Uint8Array
type Under = Record<'writeHead' | 'write' | 'end' | 'flushHeaders' | 'destroy', (...args: unknown[]) => unknown>

/** Koa begins every response as not found: until its handler says something it has no status. */
const NO_STATUS = 0

/**
 * The response of a billed call where it leaves, whoever writes it: its head and its end wait here for what
 * billing has to say, nothing else does. What Koa is given to send is settled before it comes here.
 */
export class Reply {
  /** Whether it is streaming through. */
  begun = false
  /** Settles when a response that was ended past Koa has left. */
  ended: Promise<void> | undefined
  readonly #under: Under
  /** Whether the bytes are looked at here: not where they came as a stream, which something outside of billing may encode. */
  #taps = true
  /** The status line that `writeHead` was given: Node sends it with the first bytes too. */
  #head: readonly [status: number, message: string] | undefined
  /** What the context said of the response when the route was entered. */
  #before: readonly unknown[] = []
  /** Whoever makes the response has ended it with an error. */
  #failed = false
  #lateHeaders: Readonly<Record<string, string>> = {}

  constructor(private readonly ctx: Context, private readonly exchange: Exchange) {
    const { writeHead, write, end, flushHeaders, destroy } = ctx.res
    this.#under = { writeHead, write, end, flushHeaders, destroy } as Under
    Object.assign(ctx.res, {
      writeHead: (...args: unknown[]) => this.#writeHead(args),
      write: (...args: unknown[]) => this.#write(args),
      end: (...args: unknown[]) => this.#end(args),
      flushHeaders: () => this.#flushHeaders(),
      destroy: (...args: unknown[]) => this.#destroy(args),
    })
    // It comes before Koa closes the source of a caller who left.
    ctx.res.once('close', () => this.#close())
  }

  /** A route has been entered. */
  enter(): void {
    this.#before = said(this.ctx)
    if (this.ctx.res.destroyed) this.#close()
  }

  /** Whether the route that was entered last has made its response. */
  get responded(): boolean {
    return this.begun || this.ended !== undefined || this.#head !== undefined || (this.exchange.billed && this.#hasSaid)
  }

  /** Begins a response that streams through; `taps` where its bytes are to be looked at as they are written. */
  begin(taps: boolean): void {
    const { ctx, ctx: { res }, exchange } = this
    this.begun = true
    this.#taps = taps
    setHeaders(res, exchange.stream({ status: res.statusCode, ...typeOf(res), canGrow: canGrow(ctx), canTrail: canTrail(ctx) && !res.headersSent, length: Number(res.getHeader('Content-Length')) }))
    if (res.destroyed) this.#close()
    this.#sendHead()
  }

  /** Ends the call of a stream. Returns what is still to be written. */
  async finish(): Promise<string | undefined> {
    const { trailers, tail } = await this.exchange.end(this.ctx.res.statusCode)
    this.ctx.res.addTrailers(trailers)
    return tail
  }

  /** Whoever makes the stream has given up: it has failed, or its caller has left. */
  broke(): void {
    if (this.callerLeft) this.#abort()
    else this.#fail()
  }

  /** Whether the connection has ended, and not for the response. A fault of the socket closes Koa's source before the response hears of it. */
  get callerLeft(): boolean {
    return this.ctx.req.socket.destroyed && !this.#failed
  }

  /** Sets headers when the head is written and not before: Koa's error handling takes off every header there is. */
  setLate(headers: Readonly<Record<string, string>>): void {
    this.#lateHeaders = headers
  }

  get #hasSaid(): boolean {
    return said(this.ctx).some((now, i) => now !== this.#before[i])
  }

  /** An error on the response is its producer's, unless the connection had ended by then. */
  #destroy(args: unknown[]): unknown {
    this.#failed ||= args[0] !== undefined && args[0] !== null && !this.ctx.req.socket.destroyed
    return this.#under.destroy.apply(this.ctx.res, args)
  }

  #close(): void {
    if (this.#failed) this.#fail()
    else this.#abort()
  }

  #fail(): void {
    this.exchange.threw()
    void this.exchange.end(this.ctx.res.statusCode)
  }

  #abort(): void {
    void this.exchange.abort(this.begun || this.#hasSaid ? this.ctx.res.statusCode : NO_STATUS, this.begun)
  }

  #sendHead(): void {
    const head = this.#head
    this.#head = undefined
    if (head) this.#passHead(head)
  }

  #writeHead(args: unknown[]): unknown {
    const { ctx: { res }, exchange } = this
    if (!exchange.billed || this.begun) return this.#passHead(args)
    const [status, message, fields] = typeof args[1] === 'string' ? args : [args[0], undefined, args[1]]
    setFields(res, fields)
    res.statusCode = Number(status)
    if (typeof message === 'string') res.statusMessage = message
    this.#head = [res.statusCode, res.statusMessage]
    return res
  }

  #passHead(args: readonly unknown[]): unknown {
    const { ctx, ctx: { res } } = this
    setHeaders(res, this.#lateHeaders)
    // Since it was promised, something outside of billing has made a response of it that can't have one.
    if (this.begun && !canTrail(ctx)) res.removeHeader('Trailer')
    return this.#under.writeHead.apply(res, [...args])
  }

  #flushHeaders(): unknown {
    if (this.exchange.billed && !this.begun) this.begin(true)
    return this.#under.flushHeaders.apply(this.ctx.res)
  }

  #write(args: unknown[]): unknown {
    if (this.ended) return false
    if (this.exchange.billed && !this.begun) this.begin(true)
    return this.#pass(args)
  }

  #pass(args: unknown[]): unknown {
    const roomLeft = this.#under.write.apply(this.ctx.res, args)
    const [chunk, encoding] = args as [Chunk, BufferEncoding | undefined]
    if (this.#taps) this.exchange.passed(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)
    return roomLeft
  }

  #end(args: unknown[]): unknown {
    const { ctx: { res }, exchange } = this
    if (this.ended) return res
    if (!exchange.billed) return this.#under.end.apply(res, args)
    const callback = args.find((arg) => typeof arg === 'function') as (() => void) | undefined
    const [chunk, encoding] = args.filter((arg) => typeof arg !== 'function') as [Chunk | null | undefined, BufferEncoding | undefined]
    if (callback) res.once('finish', callback)
    this.ended = (this.begun ? this.#endStream(chunk, encoding) : this.#endWhole(chunk ?? '', encoding)).catch((error: Error) => void res.destroy(error))
    return res
  }

  async #endStream(chunk: Chunk | null | undefined, encoding: BufferEncoding | undefined): Promise<void> {
    if (chunk) this.#pass([chunk, encoding])
    const tail = await this.finish()
    this.#under.end.apply(this.ctx.res, tail !== undefined && canGrow(this.ctx) ? [tail] : [])
  }

  async #endWhole(chunk: Chunk, encoding: BufferEncoding | undefined): Promise<void> {
    const { ctx: { res }, exchange } = this
    const body = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
    const json = body.length > 0 && carriesJson(typeOf(res)) ? body.toString() : undefined
    const { headers, json: metered } = await exchange.close({ status: res.statusCode, json, whole: () => ({ headers: headersOf(res), body }) })
    setHeaders(res, headers)
    const sent = metered === undefined ? body : Buffer.from(metered)
    if (sent !== body) {
      if (res.hasHeader('Content-Length')) res.setHeader('Content-Length', sent.length)
      weaken(res)
    }
    this.#sendHead()
    this.#under.end.apply(res, sent.length > 0 ? [sent] : [])
  }
}

function said({ body, status, respond, headerSent }: Context): readonly unknown[] {
  return [body, status, respond, headerSent]
}
