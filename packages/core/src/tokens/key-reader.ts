import type { Watch } from './watch.js'

/** More than any watched name has; a longer key is none of them. */
const ROOM = 32

/** Reads one JSON object key, cut anywhere, and knows which watched member it names. */
export class KeyReader {
  readonly #bytes = new Uint8Array(ROOM)
  #length = 0
  /** Bytes of an escape still to come: 5 after the backslash, 4 to 1 hexadecimal digits. */
  #escape = 0
  #code = 0
  #ended = false

  /** Whether the closing quote has been read. */
  get ended(): boolean {
    return this.#ended
  }

  begin(): void {
    this.#length = 0
    this.#escape = 0
    this.#ended = false
  }

  /** Reads up to the closing quote or `to`; returns where it stopped. */
  push(bytes: Uint8Array, from: number, to: number): number {
    let i = from
    while (i < to) {
      if (this.#escape > 0) {
        this.#escaped(bytes[i++]!)
        continue
      }
      i = this.#plain(bytes, i, to)
      if (i === to) return to
      if (bytes[i++] === 0x22 /* " */) {
        this.#ended = true
        return i
      }
      this.#escape = 5
    }
    return to
  }

  /** What is watched of the member of this name. */
  find({ members }: Watch): Watch | undefined {
    for (const { name, watch } of members ?? []) if (this.#is(name)) return watch
    return undefined
  }

  #is(name: Uint8Array): boolean {
    if (name.length !== this.#length) return false
    for (let i = 0; i < name.length; i++) if (name[i] !== this.#bytes[i]) return false
    return true
  }

  /** Reads up to the next quote or backslash. */
  #plain(bytes: Uint8Array, from: number, to: number): number {
    const kept = this.#bytes
    let length = this.#length
    let i = from
    for (; i < to; i++) {
      const byte = bytes[i]!
      if (byte === 0x22 /* " */ || byte === 0x5c /* \ */) break
      if (length < ROOM) kept[length++] = byte
    }
    this.#length = length
    return i
  }

  #escaped(byte: number): void {
    if (this.#escape === 5) {
      this.#code = 0
      this.#escape = byte === 0x75 /* u */ ? 4 : 0
      // The short escapes stand for no letter, so the key is no watched one.
      if (this.#escape === 0) this.#length = ROOM
      return
    }
    this.#code = this.#code * 16 + hexadecimal(byte)
    if (--this.#escape === 0) {
      if (this.#code < 0x80 && this.#length < ROOM) this.#bytes[this.#length++] = this.#code
      else this.#length = ROOM
    }
  }
}

/** Not a number where it is no digit: then no comparison holds for the code. */
function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : NaN
}
