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

/** What the next byte is expected to be, or is in the middle of. */
type At = 'document' | 'first key' | 'key' | 'colon' | 'value' | 'separator'
  | 'in key' | 'in number' | 'in word' | 'in watched string' | 'in string' | 'in escape' | 'in unwatched' | 'over'

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
  #at: At = 'document'
  /** The watched containers around the next byte, outermost first. */
  readonly #path: Watch[] = []
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
    this.#at = 'document'
    this.#path.length = 0
    this.#unwatched = 0
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    let i = from
    while (i < to) {
      switch (this.#at) {
        case 'over': return
        case 'in string': i = this.#string(bytes, i, to); break
        case 'in unwatched': i = this.#container(bytes, i, to); break
        case 'in key': i = this.#name(bytes, i, to); break
        case 'in number': i = this.#number(bytes, i, to); break
        case 'in word': i = this.#word(bytes, i, to); break
        case 'in watched string':
          if (bytes[i] !== 0x22 /* " */) this.sink.text()
          this.#at = 'in string'
          break
        case 'in escape':
          this.#at = 'in string'
          i++
          break
        default: this.#token(bytes[i++]!)
      }
    }
  }

  #token(byte: number): void {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return
    switch (this.#at) {
      case 'value': return this.#value(byte)
      case 'colon': this.#at = byte === 0x3a /* : */ ? 'value' : 'over'; return
      case 'separator': return this.#separator(byte)
      case 'document': return byte === 0x7b /* { */ ? this.#open(this.root, 'first key') : this.#give()
      default:
        if (byte === 0x7d /* } */ && this.#at === 'first key') return this.#close()
        this.#key.begin()
        this.#at = byte === 0x22 /* " */ ? 'in key' : 'over'
    }
  }

  #value(byte: number): void {
    const watch = this.#watch
    switch (byte) {
      case 0x22 /* " */: this.#at = watch?.text ? 'in watched string' : 'in string'; return
      case 0x7b /* { */: return watch?.members ? this.#open(watch, 'first key') : this.#pass()
      case 0x5b /* [ */: return watch?.items ? this.#open(watch, 'value') : this.#pass()
      case 0x5d /* ] */: return this.#items() ? this.#close() : this.#give()
      case 0x7d /* } */: case 0x2c /* , */: case 0x3a /* : */: return this.#give()
    }
    this.#at = watch?.count ? 'in number' : 'in word'
    this.#digits[0] = byte
    this.#digitCount = 1
  }

  #separator(byte: number): void {
    const items = this.#items()
    if (byte === (items ? 0x5d /* ] */ : 0x7d /* } */)) return this.#close()
    if (byte !== 0x2c /* , */) return this.#give()
    this.#watch = items
    this.#at = items ? 'value' : 'key'
  }

  /** What is watched of each item, inside an array. */
  #items(): Watch | undefined {
    return this.#path.at(-1)?.items
  }

  #open(container: Watch, at: At): void {
    this.#path.push(container)
    this.#watch = container.items
    this.#at = at
    if (container.members) this.sink.opened(container)
  }

  #close(): void {
    const container = this.#path.pop()
    this.#at = this.#path.length > 0 ? 'separator' : 'over'
    if (container?.members) this.sink.closed(container)
  }

  #pass(): void {
    this.#unwatched = 1
    this.#at = 'in unwatched'
  }

  #give(): void {
    this.#at = 'over'
  }

  #container(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]
      if (byte === 0x22 /* " */) {
        this.#at = 'in string'
        return i + 1
      }
      if (byte === 0x7b /* { */ || byte === 0x5b /* [ */) this.#unwatched++
      else if ((byte === 0x7d /* } */ || byte === 0x5d /* ] */) && --this.#unwatched === 0) {
        this.#at = 'separator'
        return i + 1
      }
    }
    return to
  }

  #string(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]
      if (byte === 0x5c /* \ */) {
        this.#at = 'in escape'
        return i + 1
      }
      if (byte === 0x22 /* " */) {
        this.#at = this.#unwatched > 0 ? 'in unwatched' : 'separator'
        return i + 1
      }
    }
    return to
  }

  #name(bytes: Uint8Array, from: number, to: number): number {
    const end = this.#key.push(bytes, from, to)
    if (this.#key.ended) {
      this.#watch = this.#key.find(this.#path.at(-1)!)
      this.#at = 'colon'
    }
    return end
  }

  #number(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      const byte = bytes[i]!
      if (endsWord(byte)) {
        if (this.#digitCount <= MAX_NUMBER) this.sink.number(this.#watch!.count!, numberOf(this.#digits.subarray(0, this.#digitCount)))
        this.#at = 'separator'
        return i
      }
      if (this.#digitCount <= MAX_NUMBER) this.#digits[this.#digitCount++] = byte
    }
    return to
  }

  #word(bytes: Uint8Array, from: number, to: number): number {
    for (let i = from; i < to; i++) {
      if (endsWord(bytes[i]!)) {
        this.#at = 'separator'
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
