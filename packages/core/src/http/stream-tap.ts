import type { OpenCall, Receipt } from '../billing/call/call.js'
import { toCredits } from '../credits.js'
import { TokenReader } from '../tokens/token-reader.js'
import { isEncoded, isEventStream, type BodyType } from './body-type.js'
import { ceilingHeader } from './headers.js'
import { meteringEvent } from './metering.js'

/** What is known of a response that streams through. */
export interface StreamHead extends BodyType {
  readonly status: number
  /** Whether this connection and this response can have trailers (HTTP/1.1 and chunked). */
  readonly canTrail: boolean
  /** Whether bytes can be added behind the last: its length has not been told. */
  readonly canGrow: boolean
  /** The length that has been told, in bytes; NaN where none has. */
  readonly length: number
}

/** What is said of a stream when it has ended. */
export interface StreamEnd {
  /** To be sent as trailers; empty where the client takes none. */
  readonly trailers: Readonly<Record<string, string>>
  /** To be written behind the last bytes. */
  readonly tail?: string
}

/** Looks at a stream as it passes, keeps nothing of it, and says at its end what it cost. */
export class StreamTap {
  readonly headers: Readonly<Record<string, string>>
  /** Reads the tokens that it tells of, where those are its price. */
  readonly tokens: TokenReader | undefined
  /** The same, where it also counts what was generated before its end: only events show that one by one. */
  readonly tokensSoFar: TokenReader | undefined
  readonly #trails: boolean
  readonly #tells: boolean
  readonly #length: number
  #passed = 0

  constructor({ call, route, ceiling }: OpenCall, head: StreamHead) {
    // Only to a client that has said it takes them (RFC 9110, section 6.5.1).
    this.#trails = head.canTrail && /(?:^|,)\s*trailers\s*(?:[;,]|$)/i.test(call.header('te') ?? '')
    this.#tells = route.metering === true && head.canGrow && isEventStream(head)
    this.tokens = route.tokens && !isEncoded(head.contentEncoding) ? new TokenReader(head.contentType) : undefined
    this.tokensSoFar = isEventStream(head) ? this.tokens : undefined
    this.#length = head.length
    this.headers = { ...ceilingHeader(ceiling), ...(this.#trails && { Trailer: 'Credits-Charged' }) }
  }

  push(chunk: Uint8Array): void {
    this.#passed += chunk.byteLength
    this.tokens?.push(chunk)
  }

  /** Whether all of the length that was told has passed. */
  get isWhole(): boolean {
    return this.#passed >= this.#length
  }

  end(receipt: Receipt): StreamEnd {
    return {
      // What an operation costs is not known yet.
      trailers: this.#trails && !receipt.operation ? { 'Credits-Charged': String(toCredits(receipt.charge)) } : {},
      ...(this.#tells && { tail: meteringEvent(receipt) }),
    }
  }
}
