/** What an event stream reports. */
export interface EventSink {
  /** A part of the data of the event that is being read: `bytes` from `from` up to `to`. */
  data(bytes: Uint8Array, from: number, to: number): void
  /** The event is complete. */
  end(): void
}

const LF = 0x0a
const CR = 0x0d
const FIELD = new TextEncoder().encode('data')
const JOINT = new Uint8Array([LF])

/** What the next byte belongs to. */
type At = 'name' | 'space' | 'value' | 'ignored'

/**
 * Reads the data of server-sent events (WHATWG HTML, section 9.2.6) from the bytes of a stream, cut anywhere.
 * Data is passed on as it comes, never kept: a line may be of any length. Every other field is ignored.
 */
export class SseData {
  #at: At = 'name'
  /** How many bytes of the line's field name have been read. */
  #named = 0
  /** Where the next one is in the bytes being read, from where it was last looked for. */
  #nextLf = -1
  #nextCr = -1
  /** Whether the last byte was a CR, whose line ends here even if an LF comes next. */
  #afterCr = false
  /** Whether the event has had a line of data, so that the next one is joined to it. */
  #hasData = false

  constructor(private readonly sink: EventSink) {}

  push(bytes: Uint8Array): void {
    this.#nextLf = -1
    this.#nextCr = -1
    let i = 0
    while (i < bytes.length) {
      const byte = bytes[i]!
      if (this.#afterCr && byte === LF) i++
      else if (byte === LF || byte === CR) {
        this.#endLine()
        i++
      } else if (this.#at === 'name') this.#name(bytes[i++]!)
      else i = this.#rest(bytes, i)
      this.#afterCr = byte === CR
    }
  }

  #endLine(): void {
    if (this.#named === 0) {
      this.#hasData = false
      this.sink.end()
    }
    this.#at = 'name'
    this.#named = 0
  }

  #name(byte: number): void {
    if (this.#named < FIELD.length) {
      if (byte !== FIELD[this.#named++]) this.#at = 'ignored'
      return
    }
    this.#at = byte === 0x3a /* : */ ? 'space' : 'ignored'
    if (this.#at === 'ignored') return
    if (this.#hasData) this.sink.data(JOINT, 0, 1)
    this.#hasData = true
  }

  /** What follows a field's name, up to the end of its line or of the bytes; returns where it stopped. */
  #rest(bytes: Uint8Array, from: number): number {
    const start = this.#at === 'space' && bytes[from] === 0x20 ? from + 1 : from
    if (this.#at === 'space') this.#at = 'value'
    if (this.#nextLf < start) this.#nextLf = next(LF, bytes, start)
    if (this.#nextCr < start) this.#nextCr = next(CR, bytes, start)
    const end = Math.min(this.#nextLf, this.#nextCr)
    if (this.#at === 'value') this.sink.data(bytes, start, end)
    return end
  }
}

function next(byte: number, bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(byte, from)
  return at < 0 ? bytes.length : at
}
