import { KeyReader } from './key-reader.js'
import type { Count, Watch } from './watch.js'

/** What a scanner reports of the watched parts of a document, in their order. */
export interface Sink {
  opened(object: Watch): void
  closed(object: Watch): void
  number(count: Count, value: number): void
  /** A watched string that is not empty. */
  text(): void
}

// What the next byte is expected to be, or is in the middle of: numbers, since this is looked up for every token.
const DOCUMENT = 0
const FIRST_KEY = 1
const KEY = 2
const COLON = 3
const VALUE = 4
const SEPARATOR = 5
const IN_KEY = 6
const IN_NUMBER = 7
const IN_WORD = 8
const IN_WATCHED_STRING = 9
const IN_STRING = 10
const IN_ESCAPE = 11
const IN_UNWATCHED = 12
const OVER = 13

/** The longest number that is read; a safe integer has 16 digits. */
const MAX_NUMBER = 32

/**
 * Reads the watched parts of a JSON object (RFC 8259) from its bytes as they come, cut anywhere. Its state has
 * a fixed size: of what is not watched only the brackets are counted.
 *
 * It is no validator. A valid document is read as `JSON.parse` reads it, except that values under the same name
 * are all reported; one that is not valid is read up to its fault, or past it.
 */
export class JsonScanner {
  #at = DOCUMENT
  /** The watched containers around the next byte, outermost first. */
  readonly #path: Watch[] = []
  #depth = 0
  /** How many unwatched containers are open within them. */
  #unwatched = 0
  /** What is watched of the next value. */
  #watch: Watch | undefined
  readonly #key = new KeyReader()
  readonly #digits = new Uint8Array(MAX_NUMBER)
  #digitCount = 0

  constructor(private readonly root: Watch, private readonly sink: Sink) {}

  /** What follows is another document. */
  reset(): void {
    this.#at = DOCUMENT
    this.#depth = 0
    this.#unwatched = 0
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    let i = from
    while (i < to) {
      switch (this.#at) {
        case OVER: return
        case IN_STRING: i = this.#string(bytes, i, to); break
        case IN_UNWATCHED: i = this.#container(bytes, i, to); break
        case IN_KEY: i = this.#name(bytes, i, to); break
        case IN_NUMBER: i = this.#number(bytes, i, to); break
        case IN_WORD: i = this.#word(bytes, i, to); break
        case IN_WATCHED_STRING:
          if (bytes[i] !== 0x22 /* " */) this.sink.text()
          this.#at = IN_STRING
          break
        case IN_ESCAPE:
          this.#at = IN_STRING
          i++
          break
        default: this.#token(bytes[i++]!)
      }
    }
  }

  #token(byte: number): void {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return
    switch (this.#at) {
      case VALUE: return this.#value(byte)
      case COLON: this.#at = byte === 0x3a /* : */ ? VALUE : OVER; return
      case SEPARATOR: return this.#separator(byte)
      case DOCUMENT: return byte === 0x7b /* { */ ? this.#open(this.root, FIRST_KEY) : this.#give()
      default:
        if (byte === 0x7d /* } */ && this.#at === FIRST_KEY) return this.#close()
        this.#key.begin()
        this.#at = byte === 0x22 /* " */ ? IN_KEY : OVER
    }
  }

  #value(byte: number): void {
    const watch = this.#watch
    switch (byte) {
      case 0x22 /* " */: this.#at = watch?.text ? IN_WATCHED_STRING : IN_STRING; return
      case 0x7b /* { */: return watch?.members ? this.#open(watch, FIRST_KEY) : this.#pass()
      case 0x5b /* [ */: return watch?.items ? this.#open(watch, VALUE) : this.#pass()
      case 0x5d /* ] */: return this.#items() ? this.#close() : this.#give()
      case 0x7d /* } */: case 0x2c /* , */: case 0x3a /* : */: return this.#give()
    }
    this.#at = watch?.count ? IN_NUMBER : IN_WORD
    this.#digits[0] = byte
    this.#digitCount = 1
  }

  #separator(byte: number): void {
    const items = this.#items()
    if (byte === (items ? 0x5d /* ] */ : 0x7d /* } */)) return this.#close()
    if (byte !== 0x2c /* , */) return this.#give()
    this.#watch = items
    this.#at = items ? VALUE : KEY
  }

  /** What is watched of each item, inside an array. */
  #items(): Watch | undefined {
    return this.#path[this.#depth - 1]?.items
  }

  #open(container: Watch, at: number): void {
    this.#path[this.#depth++] = container
    this.#watch = container.items
    this.#at = at
    if (container.members) this.sink.opened(container)
  }

  #close(): void {
    const container = this.#path[--this.#depth]!
    this.#at = this.#depth > 0 ? SEPARATOR : OVER
    if (container.members) this.sink.closed(container)
  }

  #pass(): void {
    this.#unwatched = 1
    this.#at = IN_UNWATCHED
  }

  #give(): void {
    this.#at = OVER
  }

  #container(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]
      if (byte === 0x22 /* " */) {
        this.#at = IN_STRING
        return i + 1
      }
      if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) this.#unwatched++
      else if ((byte === 0x7d /* } */ || byte === 0x5d /* ] */) && --this.#unwatched === 0) {
        this.#at = SEPARATOR
        return i + 1
      }
    }
    return to
  }

  #string(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]
      if (byte === 0x5c /* \ */) {
        this.#at = IN_ESCAPE
        return i + 1
      }
      if (byte === 0x22 /* " */) {
        this.#at = this.#unwatched > 0 ? IN_UNWATCHED : SEPARATOR
        return i + 1
      }
    }
    return to
  }

  #name(bytes: Uint8Array, from: number, to: number): number {
    const end = this.#key.push(bytes, from, to)
    if (this.#key.ended) {
      this.#watch = this.#key.find(this.#path[this.#depth - 1]!)
      this.#at = COLON
    }
    return end
  }

  #number(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!
      if (endsWord(byte)) {
        if (this.#digitCount <= MAX_NUMBER) this.sink.number(this.#watch!.count!, numberOf(this.#digits.subarray(0, this.#digitCount)))
        this.#at = SEPARATOR
        return i
      }
      if (this.#digitCount <= MAX_NUMBER) this.#digits[this.#digitCount++] = byte
    }
    return to
  }

  #word(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      if (endsWord(bytes[i]!)) {
        this.#at = SEPARATOR
        return i
      }
    }
    return to
  }
}

/** Whether a number or `true`, `false`, `null` is over before this byte. */
function endsWord(byte: number): boolean {
  return byte === 0x2c /* , */ || byte === 0x7d /* } */ || byte === 0x5d /* ] */ || byte <= 0x20
}

/** NaN for what is not a number in JSON, as `null`. */
function numberOf(digits: Uint8Array): number {
  const text = String.fromCharCode(...digits)
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN
}
