import type { Route } from '@farebox/hono'
import type { Handler, MiddlewareHandler } from 'hono'
import { etag } from 'hono/etag'
import { streamText } from 'hono/streaming'
import { describe, expect, it } from 'vitest'
import { creditsOf, rigged, type Rig } from './hono-rig.js'

const binary = Uint8Array.from({ length: 256 }, (_, i) => i)

function selling(handler: Handler, { around = [], ...route }: Partial<Route> & { around?: MiddlewareHandler[] } = {}): Rig {
  const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 5, charge: () => 2, ...route } } })
  for (const use of [...around, rig.bill]) rig.app.use(use)
  rig.app.get('/run', (c, next) => { rig.ran.push('run'); return handler(c, next) as Promise<Response> })
  return rig
}

/** The same call with the same key, twice. */
async function twice(rig: Rig, method = 'GET') {
  const call = async () => {
    const { res } = await rig.open(method, '/run', { headers: { 'idempotency-key': 'k' } })
    const chunks: Buffer[] = []
    for await (const chunk of res) chunks.push(chunk as Buffer)
    const headers: Record<string, unknown> = { ...res.headers, date: undefined }
    return { status: res.statusCode!, headers, body: Buffer.concat(chunks) }
  }
  return [await call(), await call()] as const
}

const ways: Record<string, Handler> = {
  'JSON': (c) => c.json({ a: 'ä' }, 201, { 'x-own': 'yes', 'location': '/there' }),
  'JSON with a tag': (c) => c.json({ a: 1 }, 200, { etag: '"tag"' }),
  'text': (c) => c.text('hellö'),
  'HTML': (c) => c.html('<b>hello</b>'),
  'bytes that are no text': (c) => c.body(binary.buffer, 200, { 'content-type': 'application/octet-stream' }),
  'nothing': (c) => c.body(null),
  'a 204': (c) => c.body(null, 204, { 'x-own': 'yes' }),
  'a redirect': (c) => c.redirect('/elsewhere'),
}

describe('the same key again gets the same response, and runs and charges nothing', () => {
  it.each(Object.entries(ways))('%s', async (_, handler) => {
    const rig = selling(handler)
    const [first, second] = await twice(rig)
    const { 'idempotent-replayed': replayed, ...headers } = second.headers
    expect(replayed).toBe('true')
    expect({ ...second, headers }).toEqual(first)
    expect(creditsOf(second.headers)).toMatchObject({ 'credits-charged': '2' })
    expect([await rig.charges(), rig.ran]).toEqual([[2], ['run']])
  })

  it('with metering, as it was', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { metering: true })
    const [first, second] = await twice(rig)
    expect(JSON.parse(String(second.body))).toEqual({ a: 1, metering: { creditsCharged: 2, estimatedMaxCredits: 5 } })
    expect([second.body, second.headers['content-length']]).toEqual([first.body, first.headers['content-length']])
  })

  it('whatever middleware around it has set before', async () => {
    let calls = 0
    const rig = selling((c) => c.json({ a: 1 }, 200, { 'cache-control': 'private', 'x-count': 'own' }), {
      around: [async (c, next) => { c.res.headers.set('cache-control', 'no-store'); c.res.headers.set('x-count', `${++calls}`); c.header('x-request', `${calls}`); await next() }, etag()],
    })
    const [first, second] = await twice(rig)
    expect([second.headers['cache-control'], second.headers['x-count'], second.headers['etag']]).toEqual([first.headers['cache-control'], first.headers['x-count'], first.headers['etag']])
  })
})

describe('a response that is not kept is never billed again', () => {
  it.each<[string, Handler, string]>([
    ['a stream', (c) => streamText(c, async (out) => { await out.write('a'); await out.sleep(1); await out.write('b') }), 'GET'],
    ['an answer to HEAD, whose body nobody has read', (c) => c.text('hello'), 'HEAD'],
  ])('%s', async (_, handler, method) => {
    const rig = selling(handler)
    const [first, second] = await twice(rig, method)
    await rig.store.ended(1)
    expect([first.status, second.status, await rig.charges(), rig.ran]).toEqual([200, 409, [2], ['run']])
  })
})
