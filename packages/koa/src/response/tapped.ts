import { pipeline, Readable, Transform, type TransformCallback } from 'node:stream'
import type { Exchange } from '@farebox/core/adapter'
import type { Reply } from './reply.js'

export type Source = NodeJS.ReadableStream | ReadableStream

/**
 * A body as it streams through: its bytes are looked at as they pass, and its end waits until the call is settled.
 * As with the source alone, nothing is read before Koa or something outside of billing asks for it.
 */
export class Tapped extends Transform {
  #source: Source | undefined

  constructor(source: Source, private readonly exchange: Exchange, private readonly reply: Reply) {
    super()
    this.#source = source
    // What an ETag of a file is made of.
    if ('path' in source) Object.assign(this, { path: source.path })
    // Koa hears of it as it would have from the source; where nobody listens, it is no reason to end the process.
    this.on('error', () => {})
  }

  /** What a source does when it is asked for more is a part of its call. */
  override _read(size: number): void {
    this.exchange.run(() => {
      const source = this.#source
      this.#source = undefined
      if (source) pipeline(isWeb(source) ? Readable.fromWeb(source as never) : source, this, (error) => error && this.reply.broke())
      super['_read'](size)
    })
  }

  override _transform(chunk: Uint8Array, _: BufferEncoding, done: TransformCallback): void {
    this.exchange.passed(chunk)
    done(null, chunk)
  }

  override _flush(done: TransformCallback): void {
    this.reply.finish().then((tail) => done(null, tail), done)
  }
}

function isWeb(source: Source): source is ReadableStream {
  return source instanceof ReadableStream
}
