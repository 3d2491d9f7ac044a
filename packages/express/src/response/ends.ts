import { errorMonitor } from 'node:events'
import type { Readable } from 'node:stream'
import type { Request, Response } from 'express'
import type { Exchange } from '@farebox/core/adapter'

/** What is known of a response at any moment. */
export interface Progress {
  readonly status: number
  /** Bytes of it have left. */
  readonly begun: boolean
}

/**
 * The ends of a response that are not its handler's `end`: it was ended past billing, its caller has left, or what
 * makes it has given up.
 */
export class Ends {
  /** Pipes into the response. They stop when it closes, and then nothing ends it any more. */
  #pipes = 0
  /** What was piped into it has failed. */
  #broken = false

  constructor(
    private readonly req: Request,
    private readonly res: Response,
    private readonly exchange: Exchange,
    private readonly progress: Progress,
  ) {
    const onError = () => {
      this.#broken ||= !this.#hasLeft()
    }
    // A pipeline into a response that has closed destroys its source, and writes nothing.
    const onClose = () => this.look()
    res.once('finish', () => void this.#end())
    res.once('close', () => void this.#close())
    res.on('pipe', (source: Readable) => {
      this.#pipes++
      this.#broken = false
      source.once(errorMonitor, onError).once('close', onClose)
    })
    res.on('unpipe', (source: Readable) => {
      this.#pipes--
      source.off(errorMonitor, onError).off('close', onClose)
    })
  }

  /** A route to be paid was entered, or a response begun: the caller may have left before, of which nothing tells any more. */
  look(): void {
    if (this.res.destroyed) void this.#close()
  }

  /** The handler threw. What comes of a caller's leaving in mid-stream is no failure. */
  threw(): void {
    if (!this.progress.begun || !this.#hasLeft()) this.exchange.threw()
  }

  /** `res.destroy` was called: nothing can be answered any more. */
  destroyed(): void {
    if (this.progress.begun && this.#hasLeft()) return
    this.exchange.threw()
    void this.#end()
  }

  #close(): Promise<unknown> {
    if (this.#broken) this.exchange.threw()
    if (this.#broken) return this.#end()
    return this.exchange.abort(this.progress.status, this.progress.begun || this.#pipes > 0)
  }

  #end(): Promise<unknown> {
    return this.exchange.end(this.progress.status)
  }

  /** Whether the caller has left: the request tells a little before the response closes. */
  #hasLeft(): boolean {
    return this.req.socket.destroyed
  }
}
