import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { cloudEvents } from '../src/journal/cloud-events.js'
import type { JournalEntry } from '../src/journal/sink.js'

const entry = (id: number, over: Partial<JournalEntry> = {}): JournalEntry => ({
  uid: `ada/${id}`, account: 'ada', id: String(id), at: Date.UTC(2026, 2, 3, 4, 5, 6, 7), kind: 'charge', credits: -1.5, balance: 98.5, reference: 'r1', label: 'personas', shortfall: 0, ...over,
})

let stop = () => {}
afterEach(() => stop())

/** A server that does this with a request, and what it was sent. */
async function receiver(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const received: { method: string, url: string, headers: IncomingMessage['headers'], body: unknown }[] = []
  const server = createServer((request, response) => void text(request).then((body) => {
    received.push({ method: request.method!, url: request.url!, headers: request.headers, body: body === '' ? undefined : JSON.parse(body) as unknown })
    answer(response, request)
  }))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stop = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger`, received }
}

describe('cloudEvents', () => {
  it('posts entries as a batch of CloudEvents 1.0', async () => {
    const { url, received } = await receiver((response) => response.writeHead(202).end('thanks'))
    const sink = cloudEvents({ url, source: '/billing', headers: { authorization: 'Bearer secret', 'Content-Type': 'text/plain' } })
    await sink.write([entry(1, { kind: 'grant', account: 'a/b', uid: 'a%2Fb/1' }), entry(2)])
    expect(received).toHaveLength(1)
    const [{ method, headers, body }] = received as [typeof received[0]]
    expect([method, headers['content-type'], headers['authorization']]).toEqual(['POST', 'application/cloudevents-batch+json; charset=utf-8', 'Bearer secret'])
    const common = { specversion: '1.0', source: '/billing', time: '2026-03-03T04:05:06.007Z', datacontenttype: 'application/json' }
    expect(body).toEqual([
      { ...common, id: 'a%2Fb/1', subject: 'a/b', type: 'farebox.entry.grant', data: entry(1, { kind: 'grant', account: 'a/b', uid: 'a%2Fb/1' }) },
      { ...common, id: 'ada/2', subject: 'ada', type: 'farebox.entry.charge', data: entry(2) },
    ])
  })

  it.each([400, 401, 404, 409, 413, 429, 500, 503])('rejects at %i', async (status) => {
    const { url } = await receiver((response) => response.writeHead(status).end('no'))
    await expect(cloudEvents({ url: `${url}?token=secret`, source: '/b' }).write([entry(1)])).rejects.toMatchObject({
      code: 'SINK_FAILED', message: `${new URL(url).origin} answered ${status}`,
    })
  })

  it.each([301, 302, 303, 307, 308])('rejects at %i and does not go where it leads', async (status) => {
    const { url, received } = await receiver((response) => response.writeHead(status, { location: '/elsewhere' }).end())
    await expect(cloudEvents({ url, source: '/b' }).write([entry(1)])).rejects.toMatchObject({ code: 'SINK_FAILED' })
    expect(received.map(({ url }) => url)).toEqual(['/ledger'])
  })

  it('rejects when there is no answer in time', async () => {
    const { url, received } = await receiver(() => {})
    await expect(cloudEvents({ url, source: '/b', timeout: 50 }).write([entry(1)])).rejects.toThrow(/timeout/)
    expect(received).toHaveLength(1)
  })

  it('rejects when the connection breaks', async () => {
    const { url } = await receiver((_, request) => void request.socket.destroy())
    await expect(cloudEvents({ url, source: '/b' }).write([entry(1)])).rejects.toThrow(/fetch failed/)
    stop()
    await expect(cloudEvents({ url, source: '/b' }).write([entry(1)])).rejects.toThrow(/fetch failed/)
  })

  it('names every option that is wrong', () => {
    const wrong = { url: 'ftp://example.com', source: '', headers: { a: 1 }, timeout: 0, retries: 3 }
    expect(() => cloudEvents(wrong as never)).toThrow(/5 faults[^]*url: expected an http or https URL[^]*source:[^]*headers\.a:[^]*timeout:[^]*retries/)
    expect(() => cloudEvents({ url: 'https://example.com', source: '/b', headers: { 'a b': 'c' } })).toThrow(/headers: expected names/)
    for (const url of ['', 'example.com', undefined]) expect(() => cloudEvents({ url: url as never, source: '/b' })).toThrow(/url/)
    expect(cloudEvents({ url: new URL('https://example.com'), source: '/b' })).toHaveProperty('write')
  })
})
