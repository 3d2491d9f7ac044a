import { JsonScanner } from './json-scanner.js'
import { SseData } from './sse-data.js'
import { TokenTally, type ReadUsage } from './token-tally.js'
import { document, event } from './watch.js'

/** Tokens of one call, as its charge is computed from them. */
export interface TokenUsage {
  /** All of the prompt, with what a prompt cache read and wrote. */
  readonly input: number
  readonly output: number
  /** Of `input`, those read from the provider's prompt cache. */
  readonly cachedInput: number
  /** Of `input`, those written to it. */
  readonly cacheWrite: number
}

const BOM = [0xef, 0xbb, 0xbf]

/**
 * Reads the token usage of an LLM response from its bytes as they pass, in chunks of any size, and keeps
 * nothing of them.
 *
 * It reads what OpenAI's chat completions, completions, responses and embeddings and Anthropic's messages
 * answer, as JSON or as server-sent events: the object `usage` of a document or an event, or that in its
 * `message` or `response`. Anything by that name elsewhere, as in what a model wrote, is not looked at.
 * A count that is not an integer from 0 to 2^53 − 1 is ignored.
 *
 * @example
 * const reader = new TokenReader('application/json')
 * reader.push(new TextEncoder().encode('{"usage": {"prompt_tokens": 9, "completion_tokens": 12}}'))
 * reader.usage() // { input: 9, output: 12, cachedInput: 0, cacheWrite: 0, final: true, deltas: 0 }
 */
export class TokenReader {
  readonly #tally = new TokenTally()
  readonly #read: ((bytes: Uint8Array) => void) | undefined
  /** How many bytes of a byte order mark the response began with; `undefined` when its text has begun. */
  #mark: number | undefined = 0

  /** A response that is neither JSON nor `text/event-stream` is not read: its usage stays unknown. */
  constructor(contentType: string | undefined) {
    const type = contentType?.split(';', 1)[0]!.trim().toLowerCase()
    if (type === 'text/event-stream') this.#read = this.#events()
    else if (type && /^application\/(?:[\w.+-]+\+)?json$/.test(type)) this.#read = this.#document()
  }

  /** The next bytes of the body, without any content coding. Never throws, whatever they are. */
  push(chunk: Uint8Array): void {
    if (!this.#read) return
    let from = 0
    while (this.#mark !== undefined && from < chunk.length) {
      if (chunk[from] === BOM[this.#mark]) {
        from++
        this.#mark++
      } else this.#mark = undefined
    }
    this.#read(from > 0 ? chunk.subarray(from) : chunk)
  }

  /** What has been told up to here. */
  usage(): ReadUsage {
    return this.#tally.usage()
  }

  #document(): (bytes: Uint8Array) => void {
    const scanner = new JsonScanner(document, this.#tally)
    return (bytes) => scanner.push(bytes, 0, bytes.length)
  }

  #events(): (bytes: Uint8Array) => void {
    const scanner = new JsonScanner(event, this.#tally)
    const lines = new SseData({
      data: (bytes, from, to) => scanner.push(bytes, from, to),
      end: () => {
        scanner.reset()
        this.#tally.nextEvent()
      },
    })
    return (bytes) => lines.push(bytes)
  }
}
