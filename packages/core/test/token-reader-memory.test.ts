import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { TokenReader } from '../src/tokens/token-reader.js'

const MIB = 2 ** 20
const CHUNK = MIB / 16
/** A body of this size fits in no margin; FAREBOX_BODY_MIB tries others by hand. */
const BODY = Number(process.env['FAREBOX_BODY_MIB'] ?? 32) * MIB
const MARGIN = 8 * MIB

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function held(): number {
  // What the first one finds, the second one has given back.
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const event = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(60) } }], usage: null })}\n\n`
const usage = '"usage":{"prompt_tokens":3,"completion_tokens":4}}'

it.each([
  ['one string of JSON', 'application/json', '{"a":"', 'x', `",${usage}`],
  ['one string of escapes', 'application/json', '{"a":"', '\\u20ac\\"', `",${usage}`],
  ['one name', 'application/json', '{"', 'x', `":1,${usage}`],
  ['one number', 'application/json', '{"usage":{"prompt_tokens":', '1', `},${usage}`],
  ['white space', 'application/json', '{', ' ', usage],
  ['brackets', 'application/json', '{"a":', '[', ''],
  ['many small objects', 'application/json', '{"a":[0', ',{"usage":{"prompt_tokens":1}}', `],${usage}`],
  ['one line of data', 'text/event-stream', 'data: {"a":"', 'x', `",${usage}\n\n`],
  ['one line of something else', 'text/event-stream', ':', 'x', `\ndata: {${usage}\n\n`],
  ['one event of many lines', 'text/event-stream', 'data: {\n', 'data:\n', `data: ${usage}\n\n`],
  ['many events that are cut', 'text/event-stream', '', 'data: {"choices":[{"delta":{\n\n', `data: {${usage}\n\n`],
  ['many events', 'text/event-stream', '', event, `data: {${usage}\n\n`],
])('keeps nothing of a body of %s', (_, contentType, head, filler, tail) => {
  const encoder = new TextEncoder()
  const filling = encoder.encode(filler.repeat(Math.ceil(CHUNK / filler.length)))
  const before = held()
  const reader = new TokenReader(contentType)
  reader.push(encoder.encode(head))
  // Each chunk is memory of its own: a reader that kept one would hold it.
  for (let sent = 0; sent < BODY; sent += filling.length) reader.push(filling.slice())
  const growth = held() - before
  reader.push(encoder.encode(tail))
  if (tail) expect(reader.usage()).toMatchObject({ input: 3, output: 4, final: true })
  expect(growth).toBeLessThan(MARGIN)
})
