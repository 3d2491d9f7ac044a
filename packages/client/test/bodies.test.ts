import { describe, expect, it } from 'vitest'
import { fareboxFetch } from '../src/index.js'
import { ok, refusal, scripted, timeless } from './scripted-server.js'

const BYTES = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256)
const TEXT = '{"name":"Ångström 🜁"}'

function form(): FormData {
  const data = new FormData()
  data.set('name', 'Ada')
  data.set('photo', new Blob([BYTES], { type: 'image/png' }), 'ada.png')
  return data
}

/** A POST of a stream, as Node wants it. */
function streaming(...chunks: readonly Uint8Array[]): RequestInit & { duplex: 'half' } {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  return { method: 'POST', body, duplex: 'half' }
}

/** Sends it through a lost connection and a refusal to an answer, and returns what the server received each time. */
async function sendThrice(make: (url: string) => readonly [input: string | Request, init?: RequestInit]) {
  const { url, received } = await scripted('hang_up', refusal(503, 'BILLING_UNAVAILABLE'), ok)
  const [input, init] = make(url)
  expect(await fareboxFetch(input, init, timeless().options)).toMatchObject({ kind: 'response', response: { status: 200 } })
  expect(received).toHaveLength(3)
  const [first, ...others] = received
  for (const other of others) {
    expect(other.body.equals(first!.body)).toBe(true)
    expect(other.headers['content-type']).toBe(first!.headers['content-type'])
  }
  return first!
}

describe('a body is sent byte for byte in every attempt', () => {
  it.each<[string, BodyInit, expected: Uint8Array | string, type: string | undefined]>([
    ['text', TEXT, TEXT, 'text/plain;charset=UTF-8'],
    ['an ArrayBuffer', BYTES.buffer, BYTES, undefined],
    ['a view of one', BYTES.subarray(5, 500), BYTES.subarray(5, 500), undefined],
    ['a Blob', new Blob([BYTES], { type: 'image/png' }), BYTES, 'image/png'],
    ['form fields', new URLSearchParams({ name: 'Ada Lovelace' }), 'name=Ada+Lovelace', 'application/x-www-form-urlencoded;charset=UTF-8'],
  ])('%s', async (_, body, expected, type) => {
    const first = await sendThrice((url) => [url, { method: 'POST', body }])
    expect(first.body.equals(Buffer.from(expected as Uint8Array))).toBe(true)
    expect(first.headers['content-type']).toBe(type)
  })

  it('a form with a file, under one boundary', async () => {
    const first = await sendThrice((url) => [url, { method: 'POST', body: form() }])
    const read = await new Response(Uint8Array.from(first.body), { headers: { 'Content-Type': first.headers['content-type']! } }).formData()
    expect(read.get('name')).toBe('Ada')
    expect(new Uint8Array(await (read.get('photo') as File).arrayBuffer())).toEqual(BYTES)
  })

  it('a stream, which is read to its end first', async () => {
    const first = await sendThrice((url) => [url, streaming(BYTES, BYTES)])
    expect(first.body.equals(Buffer.concat([BYTES, BYTES]))).toBe(true)
  })

  it('a Request', async () => {
    const first = await sendThrice((url) => [new Request(url, { method: 'POST', body: TEXT, headers: { 'Content-Type': 'application/json', 'X-Own': '1' } })])
    expect(first).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json', 'x-own': '1' } })
    expect(first.body.toString()).toBe(TEXT)
  })

  it('a Request whose body is a stream', async () => {
    const first = await sendThrice((url) => [new Request(url, streaming(BYTES))])
    expect(first.body.equals(Buffer.from(BYTES))).toBe(true)
  })

  it('a Request, and an init that says otherwise', async () => {
    const first = await sendThrice((url) => [new Request(url, { method: 'POST', body: 'old' }), { method: 'PUT', body: 'new' }])
    expect(first.method).toBe('PUT')
    expect(first.body.toString()).toBe('new')
  })

  it.each([undefined, ''])('an empty one: %j', async (body) => {
    const first = await sendThrice((url) => [new Request(url, { method: 'POST', ...(body !== undefined && { body }) })])
    expect(first.body).toHaveLength(0)
    expect(first.headers['content-length']).toBe('0')
  })
})

it('a stream that breaks is the caller\'s fault: it throws and nothing is sent', async () => {
  const { url, received } = await scripted(ok)
  const broken = new ReadableStream({ start: (controller) => { controller.error(new Error('the file is gone')) } })
  await expect(fareboxFetch(url, { ...streaming(), body: broken })).rejects.toThrow('the file is gone')
  expect(received).toEqual([])
})
