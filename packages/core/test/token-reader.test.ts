import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenReader } from '../src/tokens/token-reader.js'
import type { ReadUsage } from '../src/tokens/token-tally.js'
import { nothing, responses } from './token-responses.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function read(contentType: string | undefined, ...chunks: readonly Uint8Array[]): ReadUsage {
  const reader = new TokenReader(contentType)
  for (const chunk of chunks) reader.push(chunk)
  return reader.usage()
}

const json = (text: string): ReadUsage => read('application/json', bytes(text))
const sse = (text: string): ReadUsage => read('text/event-stream', bytes(text))

/** The input that a document tells with this text as its count. */
const inputOf = (count: string): number | undefined => json(`{"usage":{"prompt_tokens":${count},"completion_tokens":1}}`).input

describe.each(responses)('$name', ({ contentType, body, usage }) => {
  const whole = bytes(body)

  it('is read', () => {
    expect(read(contentType, whole)).toEqual(usage)
  })

  it('is read the same when cut in two anywhere', () => {
    for (let at = 0; at <= whole.length; at++) {
      expect(read(contentType, whole.subarray(0, at), whole.subarray(at)), `cut at ${at}`).toEqual(usage)
    }
  })

  it('is read the same byte by byte', () => {
    expect(read(contentType, ...Array.from(whole, (byte) => Uint8Array.of(byte)))).toEqual(usage)
  })

  it('is read the same in random pieces', () => {
    fc.assert(fc.property(fc.array(fc.nat({ max: whole.length }), { maxLength: 20 }), (cuts) => {
      const edges = [0, ...cuts.sort((a, b) => a - b), whole.length]
      expect(read(contentType, ...edges.slice(1).map((edge, i) => whole.subarray(edges[i], edge)))).toEqual(usage)
    }))
  })

  it('tells more and never less with every byte', () => {
    let before = nothing
    for (let at = 0; at <= whole.length; at++) {
      const now = read(contentType, whole.subarray(0, at))
      expect(now.final || !before.final).toBe(true)
      expect(now.deltas).toBeGreaterThanOrEqual(before.deltas)
      before = now
    }
  })
})

it.each([undefined, '', 'text/plain', 'text/html', 'application/octet-stream', 'application/jsonp', 'application/x-ndjson', 'application/json-seq'])(
  'a response of type %s is not read', (contentType) => {
    expect(read(contentType, bytes('{"usage":{"prompt_tokens":1,"completion_tokens":1}}'))).toEqual(nothing)
  })

it.each(['application/json', 'Application/JSON ; charset=utf-8', 'application/vnd.llm+json'])('a response of type %s is read as JSON', (contentType) => {
  expect(read(contentType, bytes('\uFEFF {"usage":{"prompt_tokens":1,"completion_tokens":2}}'))).toMatchObject({ input: 1, output: 2, final: true })
})

it.each([
  ['0', 0], ['-0', 0], ['12', 12], ['12.0', 12], ['1e2', 100], ['9007199254740991', 9007199254740991],
])('%s is the count %d', (count, expected) => {
  expect(inputOf(count)).toBe(expected)
})

it.each([
  '9007199254740992', '1e400', `1${'0'.repeat(1_000)}`, `0.${'0'.repeat(1_000)}`, '-1', '-9007199254740991', '1.5', '1e-1', '"12"', 'null', 'true', 'NaN', 'Infinity',
  '0x10', '[12]', '{"value":12}', '""', '--1', '1-2',
])('%s is no count', (count) => {
  expect(inputOf(count)).toBeUndefined()
  expect(json(`{"usage":{"prompt_tokens":${count},"completion_tokens":1}}`)).toMatchObject({ output: 1, final: true })
})

it('a usage that has told nothing is not final', () => {
  for (const usage of ['null', '{}', '{"total_tokens":5}', '[]', '5', '"x"', '[{"prompt_tokens":1}]', '{"prompt_tokens":-1}']) {
    expect(json(`{"usage":${usage}}`)).toEqual(nothing)
  }
})

it('a usage that is cut has told nothing', () => {
  expect(json('{"usage":{"prompt_tokens":12,"completion_tokens":34')).toEqual(nothing)
  expect(sse('data: {"usage":{"prompt_tokens":12,"completion_tokens":34}')).toMatchObject({ input: 12, output: 34, final: true })
  expect(sse('data: {"usage":{"prompt_tokens":12\n\ndata: ,"completion_tokens":34}}\n\n')).toEqual(nothing)
})

it('a name is known by what it says, not by how it is written', () => {
  expect(json('{"\\u0075sa\\u0067e":{"prompt\\u005ftokens":3,"completion_tokens":1}}')).toMatchObject({ input: 3 })
  for (const name of ['\\u0175sage', 'us\\nage', 'usage\\u0000', 'usage ', 'Usage', 'us', 'usag\\u00e', '\\u006', 'us\\bage', '\\u006lsage', 'x'.repeat(40)]) {
    expect(json(`{"${name}":{"prompt_tokens":3}}`)).toEqual(nothing)
  }
})

it.each([
  ': data: D', 'database: D', ' data: D', 'DATA: D', 'date: D', 'dat: D', 'data D', 'from:D', 'event: D', '\u00fcdata: D', 'data:\uFEFFD', 'data: D'.slice(1),
])('a line "%s" has no data', (line) => {
  expect(sse(`${line.replace('D', '{"usage":{"prompt_tokens":1,"completion_tokens":2}}')}\n\n`)).toEqual(nothing)
})

it('lines without data do not end an event', () => {
  const [head, tail] = ['data: {"usage":\n', 'data: {"prompt_tokens":1,"completion_tokens":2}}\n\n']
  for (const line of ['da', 'data', 'data:', ':', ': x', 'id', 'event: x']) expect(sse(`${head}${line}\n${tail}`)).toMatchObject({ input: 1, output: 2, final: true })
  expect(sse(`${head}\n${tail}`)).toEqual(nothing)
})

it('lines of data are joined by a line feed', () => {
  expect(sse('data: {"usage":{"prompt_tokens":1\ndata: 2,"completion_tokens":3}}\n\n')).toEqual(nothing)
  expect(sse('data: {"us\ndata: age":{"prompt_tokens":1,"completion_tokens":3}}\n\n')).toEqual(nothing)
})

it.each(['{"a":[', '{"a":["', '{"a":"\\', '{"us', '{"\\u0', '{"usage":{"prompt_tokens":1', '{"choices":[{"delta":{"content":', '[', '"', ''])(
  'an event that is cut after %s leaves the next one whole', (cut) => {
    const next = 'data: {"b":"x","choices":[{"delta":{"content":"y"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
    expect(sse(`data: ${cut}\n\n${next}`)).toEqual({ ...nothing, input: 1, output: 2, final: true, deltas: 1 })
  })

it.each([
  'choices', 'delta', 'content', 'output', 'a', 'usage', 'data',
])('a usage within %s is not that of the call', (name) => {
  const usage = '{"prompt_tokens":3,"completion_tokens":4}'
  expect(json(`{"${name}":{"usage":${usage}}}`)).toEqual(nothing)
  expect(json(`{"message":{"${name}":{"usage":${usage}}}}`)).toEqual(nothing)
  expect(json(`{"${name}":[{"usage":${usage}},"\\"usage\\":${'{'}"]}`)).toEqual(nothing)
})

it('the last of several usages counts, whole names and single counts alike', () => {
  expect(json('{"usage":{"prompt_tokens":1,"prompt_tokens":2},"usage":{"completion_tokens":9}}')).toMatchObject({ input: 2, output: 9 })
})

it('what the cache held is never more than the input', () => {
  expect(json('{"usage":{"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":9,"cache_write_tokens":9}}}')).toMatchObject({ cachedInput: 5, cacheWrite: 0 })
  expect(json('{"usage":{"cache_read_input_tokens":9}}')).toMatchObject({ input: undefined, cachedInput: 0 })
})

it.each(['[', '{"a":', '{"usage":', '{"choices":[', '{"choices":[{"delta":', '{"usage":{"prompt_tokens":['])('%s nested 100,000 deep', (opening) => {
  const text = opening.repeat(100_000)
  expect(json(text)).toEqual(nothing)
  expect(sse(`data: ${text}\n\ndata: {"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n`)).toMatchObject({ input: 1, output: 2, deltas: 0 })
})

it('what is watched is found behind a value nested 100,000 deep', () => {
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  expect(json(`{"choices":${nested},"a":${nested},"usage":{"prompt_tokens":${nested},"completion_tokens":2}}`)).toMatchObject({ input: undefined, output: 2 })
})

it('no bytes make it throw, nor cost the next event', () => {
  const fragment = fc.constantFrom(
    '"usage"', '{', '}', '[', ']', ',', ':', '"', '\\', '\\u00', '1', '-', 'null', '\n', '\r', 'data:', 'data: {"usage":{"prompt_tokens":', '\n\n', '\0', '\uFEFF', ' ',
    '{"choices":[{"delta":{"content":"', '"message":{',
  ).map(bytes)
  const soup = fc.array(fc.oneof(fragment, fc.uint8Array({ maxLength: 8 })), { maxLength: 60 })
  fc.assert(fc.property(soup, fc.constantFrom('application/json', 'text/event-stream'), (chunks, contentType) => {
    const { input, output, cachedInput, cacheWrite } = read(contentType, ...chunks)
    for (const count of [input ?? 0, output ?? 0, cachedInput, cacheWrite]) expect(Number.isSafeInteger(count) && count >= 0).toBe(true)
    const next = bytes('\n\ndata: {"usage":{"prompt_tokens":11,"completion_tokens":22}}\n\n')
    expect(read('text/event-stream', ...chunks, next)).toMatchObject({ output: 22, final: true })
  }), { numRuns: 2_000 })
})
