import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { fareboxFetch } from '../src/index.js'
import { ok, scripted } from './scripted-server.js'

it('tells what a call cost and leaves the response to be read', async () => {
  const { url } = await scripted({ status: 200, headers: { 'Credits-Ceiling': '20', 'Credits-Charged': '7.25', 'Credits-Remaining': '0' }, body: '{"done":true}' })
  const outcome = await fareboxFetch(url, { method: 'POST' })
  if (outcome.kind !== 'response') throw new Error(outcome.kind)
  expect(outcome.credits).toEqual({ ceiling: 20, charged: 7.25, remaining: 0 })
  expect(outcome.replayed).toBe(false)
  expect(await outcome.response.json()).toEqual({ done: true })
})

it('tells a replay from the first answer', async () => {
  const { url } = await scripted({ status: 200, headers: { 'Idempotent-Replayed': 'true' } })
  expect(await fareboxFetch(url, { method: 'POST' })).toMatchObject({ kind: 'response', replayed: true })
})

it('says nothing of credits where the response says nothing', async () => {
  const { url } = await scripted(ok)
  expect(await fareboxFetch(url)).toMatchObject({ kind: 'response', credits: { ceiling: undefined, charged: undefined, remaining: undefined } })
})

it('streams a response through: its first byte is there before its last is written', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Credits-Ceiling': '3' })
    response.write('first')
    server.once('last', () => response.end('last'))
  }).listen(0)
  onTestFinished(() => { server.close() })
  await once(server, 'listening')
  const outcome = await fareboxFetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: 'POST' })
  if (outcome.kind !== 'response') throw new Error(outcome.kind)
  const reader = outcome.response.body!.pipeThrough(new TextDecoderStream()).getReader()
  expect(await reader.read()).toEqual({ done: false, value: 'first' })
  server.emit('last')
  expect(await reader.read()).toEqual({ done: false, value: 'last' })
})

it('everything in init that is not ours reaches fetch as it was given', async () => {
  const given: unknown[] = []
  const fetch = async (_: unknown, init?: RequestInit) => {
    given.push(init)
    return new Response('')
  }
  const init = { method: 'PUT', redirect: 'manual', next: { revalidate: 5 } } as const
  await fareboxFetch('https://api.test/run', init, { fetch })
  expect(given).toEqual([expect.objectContaining(init)])
})

it('what fetch would not send is not sent', async () => {
  await expect(fareboxFetch('no url')).rejects.toThrow(TypeError)
  await expect(fareboxFetch('https://api.test', { body: 'a GET has none' })).rejects.toThrow(TypeError)
})
