import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TokenReader } from '../src/tokens/token-reader.js'
import type { ReadUsage } from '../src/tokens/token-tally.js'

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
type JsonObject = { readonly [name: string]: Json }

/** The plain way to read a response, with all of it in memory: what the reader has to equal. */
class Reference {
  readonly #told: Record<string, number> = {}
  #final = false
  #deltas = 0

  document(text: string): ReadUsage {
    this.#usages(JSON.parse(text), true)
    return this.#usage()
  }

  events(text: string): ReadUsage {
    let data: string[] = []
    for (const line of [...text.split(/\r\n|\r|\n/), '']) {
      if (line === '') {
        if (data.length > 0) this.#event(data.join('\n'))
        data = []
      } else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
    }
    return this.#usage()
  }

  #event(data: string): void {
    if (data === '[DONE]') return
    const event = objectOf(JSON.parse(data))
    this.#usages(event, false)
    const delta = objectOf(event['delta'])
    const texts = [event['delta'], delta['text'], delta['thinking'], delta['partial_json'], ...itemsOf(event['choices']).flatMap(textsOf)]
    if (texts.some((text) => typeof text === 'string' && text !== '')) this.#deltas++
  }

  #usages(document: Json, messageIsWhole: boolean): void {
    for (const [name, value] of Object.entries(objectOf(document))) {
      if (name === 'usage') this.#tell(objectOf(value), true)
      else if (name === 'response') this.#tell(objectOf(objectOf(value)['usage']), true)
      else if (name === 'message') this.#tell(objectOf(objectOf(value)['usage']), messageIsWhole)
    }
  }

  #tell(usage: JsonObject, whole: boolean): void {
    const details = (name: string) => (/^(?:prompt|input)_tokens_details$/.test(name) ? ['cached_tokens', 'cache_write_tokens'] : [])
    const counts = Object.entries(usage).flatMap(([name, value]) =>
      (TOP.has(name) ? [[name.replace('completion', 'output'), value] as const] : Object.entries(objectOf(value)).filter(([inner]) => details(name).includes(inner))))
    for (const [name, value] of counts) {
      if (!Number.isSafeInteger(value) || Number(value) < 0) continue
      this.#told[name] = Math.abs(Number(value))
      if (whole) this.#final = true
    }
  }

  #usage(): ReadUsage {
    const told = this.#told
    const openai = told['prompt_tokens'] !== undefined || told['cached_tokens'] !== undefined || told['cache_write_tokens'] !== undefined
    const prompt = [told['prompt_tokens'], told['input_tokens']].filter((count) => count !== undefined)
    const cached = told['cached_tokens'] ?? told['cache_read_input_tokens'] ?? 0
    const written = told['cache_write_tokens'] ?? told['cache_creation_input_tokens'] ?? 0
    const input = prompt.length > 0 ? Math.max(...prompt) + (openai ? 0 : cached + written) : undefined
    const cachedInput = Math.min(cached, input ?? 0)
    return { input, output: told['output_tokens'], cachedInput, cacheWrite: Math.min(written, (input ?? 0) - cachedInput), final: this.#final, deltas: this.#deltas }
  }
}

const TOP = new Set(['prompt_tokens', 'input_tokens', 'completion_tokens', 'output_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'])

const objectOf = (value: Json | undefined): JsonObject => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value as JsonObject : {})
const itemsOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value as readonly Json[] : [])

function textsOf(choice: Json): readonly (Json | undefined)[] {
  const delta = objectOf(objectOf(choice)['delta'])
  const called = (call: Json | undefined) => [objectOf(call)['name'], objectOf(call)['arguments'], objectOf(call)['input']]
  const calls = itemsOf(delta['tool_calls']).map(objectOf)
  return [
    objectOf(choice)['text'], delta['content'], delta['refusal'], delta['reasoning'], delta['reasoning_content'], ...called(delta['function_call']),
    ...calls.flatMap((call) => called(call['function'])), ...calls.flatMap((call) => called(call['custom'])),
  ]
}

const NAMES = [
  ...TOP, 'usage', 'message', 'response', 'prompt_tokens_details', 'input_tokens_details', 'cached_tokens', 'cache_write_tokens', 'choices', 'delta', 'content', 'text',
  'thinking', 'partial_json', 'tool_calls', 'function', 'custom', 'function_call', 'name', 'arguments', 'input', 'refusal', 'reasoning', 'reasoning_content',
]

const number = fc.oneof({ weight: 4, arbitrary: fc.nat() }, fc.maxSafeNat().map((n) => Math.floor(n / 4)), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(),
  fc.constantFrom(1e21, 2 ** 53, -1, 0.5))
const string = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '"usage":{', '\\', '"', '{"prompt_tokens":1}', '\n', '\r\n\r\ndata: '))
const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...NAMES) }, string)

/** Any JSON, of names that mean something here. */
const { any } = fc.letrec<{ any: Json; scalar: Json }>((tie) => ({
  scalar: fc.oneof(number, string, fc.constantFrom(null, true, false)),
  any: fc.oneof({ depthSize: 'medium', withCrossShrink: true }, tie('scalar'), fc.dictionary(name, tie('any'), { maxKeys: 6 }), fc.array(tie('any'), { maxLength: 4 })),
}))

/** Mostly in the shapes of the providers, so that most documents tell something. */
const maybe = (value: fc.Arbitrary<Json>): fc.Arbitrary<Json> => fc.oneof({ weight: 5, arbitrary: value }, any)
const some = (...members: readonly (readonly [string, fc.Arbitrary<Json>])[]): fc.Arbitrary<Json> =>
  fc.shuffledSubarray([...members]).chain((kept) => fc.tuple(...kept.map(([, value]) => value)).map((values): Json =>
    Object.fromEntries(kept.map(([name], i) => [name, values[i] ?? null]))))

const details = some(['cached_tokens', maybe(number)], ['cache_write_tokens', maybe(number)], ['audio_tokens', number])
const usage = some(...[...TOP].map((name) => [name, maybe(number)] as const), ['prompt_tokens_details', maybe(details)], ['input_tokens_details', maybe(details)], ['usage', any])
const called = some(['name', string], ['arguments', maybe(string)], ['input', string])
const calls = fc.array(some(['function', maybe(called)], ['custom', called], ['id', string]), { maxLength: 3 })
const generated = some(['content', maybe(string)], ['refusal', string], ['reasoning', string], ['reasoning_content', string], ['tool_calls', maybe(calls)], ['function_call', maybe(called)])
const choices = fc.array(maybe(some(['text', string], ['delta', maybe(generated)], ['index', number])), { maxLength: 3 })
const wrapped = some(['usage', maybe(usage)], ['content', any])
const anthropic = some(['text', string], ['thinking', maybe(string)], ['partial_json', string], ['usage', usage])
const document = fc.oneof(
  { weight: 5, arbitrary: some(['usage', maybe(usage)], ['message', maybe(wrapped)], ['response', maybe(wrapped)], ['choices', maybe(choices)], ['delta', fc.oneof(string, anthropic, any)], ['x', any]) },
  any,
)

/** The same JSON written in another way: indented, or with names escaped. */
const writing = fc.constantFrom<(value: Json) => string>(
  (value) => JSON.stringify(value),
  (value) => JSON.stringify(value, null, 2),
  (value) => JSON.stringify(value, null, '\t').replaceAll(/"(?=usage"|prompt_tokens"|content")(\w)/g, (_, letter: string) => `"\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  (value) => JSON.stringify(value).replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
)

const pieces = fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 40 })

function read(contentType: string, text: string, sizes: readonly number[]): ReadUsage {
  const reader = new TokenReader(contentType)
  let rest = new TextEncoder().encode(text)
  for (const size of sizes) {
    reader.push(rest.subarray(0, size))
    rest = rest.subarray(size)
  }
  reader.push(rest)
  return reader.usage()
}

it('any JSON document is read as by JSON.parse', () => {
  let final = 0
  fc.assert(fc.property(document, writing, pieces, (value, write, sizes) => {
    const text = write(value)
    const usage = read('application/json', text, sizes)
    expect(usage).toEqual(new Reference().document(text))
    final += Number(usage.final)
  }), { numRuns: 3_000 })
  expect(final).toBeGreaterThan(500)
})

it('any stream of events is read as by JSON.parse', () => {
  const end = fc.constantFrom('\n', '\r\n', '\r')
  const framed = fc.tuple(document, writing, end, fc.constantFrom('data:', 'data: '), fc.constantFrom('', ':\u20ac', 'event: usage', 'id', 'data', 'retry: 1')).map(
    ([value, write, eol, field, other]) => [...(other === 'data' ? [] : [other]), ...write(value).split('\n').map((line) => field + line), '', ''].filter((line, i) => i > 0 || line !== '').join(eol))
  let final = 0
  let deltas = 0
  fc.assert(fc.property(fc.array(framed, { maxLength: 6 }), fc.constantFrom('', 'data: [DONE]\n\n'), pieces, (events, done, sizes) => {
    const text = events.join('') + done
    const usage = read('text/event-stream', text, sizes)
    expect(usage).toEqual(new Reference().events(text))
    final += Number(usage.final)
    deltas += usage.deltas
  }), { numRuns: 2_000 })
  expect(final).toBeGreaterThan(500)
  expect(deltas).toBeGreaterThan(500)
})
