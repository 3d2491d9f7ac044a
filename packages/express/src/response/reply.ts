import type { Request, Response } from 'express'
import type { Logger } from '@farebox/core'
import type { Exchange } from '@farebox/core/adapter'
import { argumentsOf, writtenAfterEnd } from './arguments.js'
import { Ends } from './ends.js'
import { currentLine, isSendable, isStatus, type StatusLine } from './head.js'
import { setFields, typeOf } from './headers.js'
import { Held } from './held.js'
import { lookSent, sentAlready } from './look-sent.js'
import { Passing } from './passing.js'

type Under = Record<'writeHead' | 'write' | 'end' | 'flushHeaders' | 'destroy' | '_implicitHeader', (...args: unknown[]) => unknown>

/**
 * A response that is held back until its call is settled, if billing wants that; else it streams through, and its
 * end alone waits. Every way of writing one comes down to writeHead, write and end.
 *
 * To its handler a response that waits looks sent: `headersSent` is true, and another one throws.
 */
export class Reply {
  readonly #under: Under
  readonly #ends: Ends
  readonly #held: Held
  readonly #passing: Passing
  /** Nothing is decided yet; held back; streaming; ended by its handler; on its way. */
  #mode: 'open' | 'held' | 'passing' | 'ended' | 'sent' = 'open'
  #metering = false
  #line: StatusLine | undefined
  #restore = () => {}
  #sent: Promise<void> | undefined

  constructor(
    private readonly req: Request,
    private readonly res: Response,
    private readonly exchange: Exchange,
    private readonly logger: Logger,
  ) {
    const { writeHead, write, end, flushHeaders, destroy, _implicitHeader } = res as Response & { _implicitHeader(): void }
    this.#under = { writeHead, write, end, flushHeaders, destroy, _implicitHeader } as Under
    Object.assign(res, {
      writeHead: (...args: unknown[]) => this.#writeHead(args),
      write: (...args: unknown[]) => this.#write(args),
      end: (...args: unknown[]) => this.#end(args),
      flushHeaders: () => this.#flushHeaders(),
      destroy: (...args: unknown[]) => {
        this.#ends.destroyed()
        return this.#pass('destroy', args)
      },
      // Node asks for the head here, for bytes that it got past billing: they are on their way.
      _implicitHeader: () => {
        if (this.#mode === 'open') this.#letPass(this.#line ?? currentLine(res))
        this.#pass('_implicitHeader', [])
      },
    })
    this.#held = new Held(req, res, exchange)
    this.#passing = new Passing(req, res, exchange)
    this.#ends = new Ends(req, res, exchange, this)
  }

  get status(): number {
    return this.#line?.status ?? this.res.statusCode
  }

  get begun(): boolean {
    return this.#mode === 'passing' || (!this.#line && this.res.headersSent)
  }

  /** A route to be paid was entered; `metering` when it adds that to its body. */
  entered(metering: boolean): void {
    this.#metering = metering
    this.#ends.look()
  }

  threw(): void {
    this.#ends.threw()
  }

  /** Resolves when a response that has ended is on its way. */
  answered(): Promise<void> {
    return this.#sent ?? Promise.resolve()
  }

  #writeHead(args: unknown[]): unknown {
    if (this.#mode === 'passing' || this.#mode === 'sent') return this.#pass('writeHead', args)
    if (this.#line) throw sentAlready('write')
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
    if (this.#mode === 'sent') return this.#pass('write', args)
    const [chunk, encoding, callback] = argumentsOf(args)
    if (this.#mode === 'open') this.#decide(false)
    if (this.#mode === 'ended') {
      if (callback) process.nextTick(callback, writtenAfterEnd())
      return false
    }
    if (this.#mode === 'passing') {
      const goesOn = this.#pass('write', args)
      this.#passing.passed(chunk, encoding)
      return goesOn
    }
    this.#held.add(chunk, encoding)
    if (callback) process.nextTick(callback)
    return true
  }

  #end(args: unknown[]): unknown {
    if (this.#mode === 'sent') return this.#pass('end', args)
    const [chunk, encoding, callback] = argumentsOf(args, '')
    if (this.#mode === 'open') this.#decide(true)
    if (this.#mode === 'ended') {
      if (callback) process.nextTick(callback, writtenAfterEnd())
      return this.res
    }
    // Nothing is to be paid, or Node will refuse it, which its handler has to see.
    if (!this.res.headersSent) return this.#pass('end', args)
    if (callback) this.res.once('finish', callback)
    const line = this.#line!
    if (this.#mode === 'held') this.#held.add(chunk, encoding)
    const settled = this.#mode === 'held' ? this.#held.settle(line, this.#metering) : this.#passing.settle(line, chunk, encoding)
    this.#mode = 'ended'
    this.res.finished = true
    this.#sent = settled.then((complete) => this.#send(complete))
    return this.res
  }

  /** Decides once whether to hold; `whole` when the handler has given all of the body. */
  #decide(whole: boolean): void {
    const { req, res } = this
    const line = this.#line ?? currentLine(res)
    // What a middleware has begun before the route was reached can't be held any more.
    if (!this.begun && isSendable(req, res, line.status) && this.exchange.holds({ status: line.status, ...typeOf(res), whole })) {
      this.#mode = 'held'
      if (!this.#line) this.#begin(line)
      return
    }
    const writesHead = this.#line !== undefined
    this.#letPass(line)
    if (writesHead) this.#pass('writeHead', [line.status, line.message])
  }

  #letPass(line: StatusLine): void {
    this.#mode = 'passing'
    this.#line = line
    this.#restore()
    this.#passing.begin(line)
    this.#ends.look()
  }

  #begin(line: StatusLine): void {
    this.#line = line
    this.#restore = lookSent(this.res)
  }

  #pass(method: keyof Under, args: unknown[]): unknown {
    try {
      return this.#under[method].apply(this.res, args)
    } catch (error) {
      // Node refused it and nothing has left: what is written next, an error's response, is looked at anew.
      if (!this.res.headersSent) {
        this.#mode = 'open'
        this.#line = undefined
      }
      throw error
    }
  }

  #send(complete: () => Buffer): void {
    const { res } = this
    this.#restore()
    this.#mode = 'sent'
    res.finished = false
    try {
      const bytes = complete()
      this.#under.end.apply(res, bytes.length > 0 ? [bytes] : [])
    } catch (error) {
      this.logger.error('farebox: a settled response could not be sent', error)
      res.destroy()
    }
  }
}
