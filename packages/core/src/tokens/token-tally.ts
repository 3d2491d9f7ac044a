import type { Sink } from './json-scanner.js'
import { finalUsage, firstUsage, type Count, type Watch } from './watch.js'

/**
 * What a response has told of its tokens so far.
 *
 * `input` is all of the prompt, whatever the provider: OpenAI's `prompt_tokens` and `input_tokens` are that
 * already, Anthropic's `input_tokens` leaves out what its prompt cache read and wrote, so both are added.
 */
export interface ReadUsage {
  /** Tokens of the prompt; `undefined` while they have not been told. */
  readonly input: number | undefined
  /** Tokens generated, as last told; `undefined` while they have not been told. */
  readonly output: number | undefined
  /** Of `input`, those read from the provider's prompt cache. */
  readonly cachedInput: number
  /** Of `input`, those written to it. */
  readonly cacheWrite: number
  /** Whether the provider has told what the call used, and not only what it began with. */
  readonly final: boolean
  /** Server-sent events that carried something generated: as many tokens were generated at least. */
  readonly deltas: number
}

/** Gathers what the documents of one response tell of its tokens; of what is told twice, the last counts. */
export class TokenTally implements Sink {
  readonly #told: { [Name in Count]?: number } = {}
  /** What the usage object that is being read has told: one that breaks off has told nothing. */
  #telling: { [Name in Count]?: number } = {}
  #final = false
  #deltas = 0
  /** Whether the event that is being read has been counted. */
  #counted = false

  opened(object: Watch): void {
    if (isUsage(object)) this.#telling = {}
  }

  closed(object: Watch): void {
    if (!isUsage(object)) return
    Object.assign(this.#told, this.#telling)
    if (object === finalUsage && Object.keys(this.#telling).length > 0) this.#final = true
  }

  number(count: Count, value: number): void {
    // A negative zero is a number of tokens too; adding 0 takes its sign.
    if (Number.isSafeInteger(value) && value >= 0) this.#telling[count] = value + 0
  }

  text(): void {
    if (this.#counted) return
    this.#counted = true
    this.#deltas++
  }

  /** What is told next is told by another event. */
  nextEvent(): void {
    this.#counted = false
  }

  usage(): ReadUsage {
    const { prompt, output, cachedPart, writtenPart, cacheRead, cacheCreation } = this.#told
    const read = cachedPart ?? cacheRead ?? 0
    const written = writtenPart ?? cacheCreation ?? 0
    // Compatible servers repeat Anthropic's names beside OpenAI's: then they are part of the input.
    const apart = prompt === undefined && cachedPart === undefined && writtenPart === undefined
    const told = most(prompt, this.#told.input)
    const input = told === undefined || !apart ? told : told + read + written
    const cachedInput = Math.min(read, input ?? 0)
    const cacheWrite = Math.min(written, (input ?? 0) - cachedInput)
    return { input, output, cachedInput, cacheWrite, final: this.#final, deltas: this.#deltas }
  }
}

function isUsage(object: Watch): boolean {
  return object === finalUsage || object === firstUsage
}

/** Some servers send both names and 0 under one of them. */
function most(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? one ?? other : Math.max(one, other)
}
