import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import type { Route } from '@farebox/hono'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context, ExecutionContext, Handler, MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { etag } from 'hono/etag'
import { HTTPException } from 'hono/http-exception'
import { stream, streamSSE, streamText } from 'hono/streaming'
import { describe, expect, it, vi } from 'vitest'
import { creditsOf, rigged, type Rig } from './hono-rig.js'
import { latch } from '../support/apps/latch.js'

const METERING = { creditsCharged: 2, estimatedMaxCredits: 5 }
const CHARGED = { 'credits-ceiling': '5', 'credits-charged': '2', 'credits-remaining': '998' }
const bytes = (text: string) => new TextEncoder().encode(text)

/** A route of at most 5 credits that costs what its answer says, else 2, behind the middleware around billing. */
function selling(handler: Handler, { outside = [], inside = [], ...route }: { outside?: MiddlewareHandler[], inside?: MiddlewareHandler[] } & Partial<Route> = {}): Rig {
  const terms: Route = { product: 'p', metering: true, price: 5, charge: ({ response }) => (response.body as { cost?: number } | undefined)?.cost ?? 2, ...route }
  const rig = rigged({ prices: { 'GET /run': terms, 'POST /run': terms } })
  for (const use of [...outside, rig.bill, ...inside]) rig.app.use(use)
  rig.app.on(['GET', 'POST'], '/run', handler)
  return rig
}

/** The same request in this process and over HTTP. */
async function both(rig: Rig, headers: Record<string, string> = {}, method = 'GET') {
  const direct = await rig.request(method, '/run', { headers: { ...headers, 'x-account': 'direct' } })
  const wire = await rig.call(method, '/run', { headers: { ...headers, 'x-account': 'wire' } })
  return [
    { account: 'direct', status: direct.status, headers: Object.fromEntries(direct.headers) as Record<string, string | undefined>, text: await direct.text() },
    { account: 'wire', status: wire.status, headers: wire.headers as Record<string, string | undefined>, text: wire.text },
  ]
}

describe('JSON, however it is written, is settled before it is sent and carries what was charged', () => {
  const ways: Record<string, Handler> = {
    'c.json': (c) => c.json({ a: 1 }),
    'c.json with a status and headers': (c) => c.json({ a: 1 }, 201, { 'content-length': '7', 'x-own': 'yes' }),
    'new Response': () => new Response('{"a":1}', { headers: { 'Content-Type': 'application/json; charset=utf-8' } }),
    'Response.json': () => Response.json({ a: 1 }),
    'c.body of a string': (c) => c.body('{"a":1}', 200, { 'content-type': 'application/problem+json' }),
    'c.body of bytes': (c) => c.body(bytes('{"a":1}').buffer, 200, { 'content-type': 'application/json' }),
    'a stream in pieces': (c) => { c.header('content-type', 'application/json'); return stream(c, async (out) => { await out.write('{"a"'); await out.sleep(1); await out.write(':1}') }) },
    'c.res': (c) => { c.res = c.json({ a: 1 }); return Promise.resolve() as never },
    'immutable headers, as of fetch()': () => { const response = Response.json({ a: 1 }); Object.defineProperty(response.headers, 'set', { value: () => { throw new TypeError('immutable') } }); return response },
  }

  it.each(Object.entries(ways))('%s', async (_name, handler) => {
    const rig = selling(handler)
    for (const { account, headers, text } of await both(rig)) {
      expect(JSON.parse(text)).toEqual({ a: 1, metering: METERING })
      expect(creditsOf(headers)).toEqual(CHARGED)
      expect(headers['content-length'] ?? String(text.length)).toBe(String(text.length))
      expect(await rig.charges(account)).toEqual([2])
    }
  })

  it('keeps status, other headers and cookies', async () => {
    const rig = selling((c) => { c.header('set-cookie', 'a=1'); c.header('set-cookie', 'b=2', { append: true }); return c.json({ a: 1 }, 202, { 'x-own': 'yes' }) })
    const response = await rig.request('GET', '/run')
    expect([response.status, response.headers.get('x-own'), response.headers.getSetCookie()]).toEqual([202, 'yes', ['a=1', 'b=2']])
  })

  it('is charged by its body', async () => {
    const rig = selling((c) => c.json({ cost: 3 }))
    for (const { account, headers } of await both(rig)) {
      expect(creditsOf(headers)).toMatchObject({ 'credits-charged': '3' })
      expect(await rig.charges(account)).toEqual([3])
    }
  })

  it('stays as it is, byte for byte, where no metering is asked for', async () => {
    const odd = bytes('\uFEFF{ "n": 12345678901234567890 }\n')
    const rig = selling(() => new Response(odd, { headers: { 'content-type': 'application/json', etag: '"strong"', 'content-length': String(odd.length) } }), { metering: false })
    const response = await rig.request('GET', '/run')
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(odd)
    expect([response.headers.get('etag'), creditsOf(response.headers)]).toEqual(['"strong"', CHARGED])
  })

  it('that is an array or no JSON at all goes out as it is', async () => {
    for (const body of ['[1]', 'nonsense', '']) {
      const rig = selling(() => new Response(body, { headers: { 'content-type': 'application/json' } }))
      for (const { headers, text } of await both(rig)) expect([text, creditsOf(headers)]).toEqual([body, CHARGED])
    }
  })

  it('whose source breaks is an error, and free', async () => {
    const rig = selling(() => new Response(new ReadableStream({ pull() { throw new Error('source') } }), { headers: { 'content-type': 'application/json' } }))
    rig.app.onError((error, c) => c.text(error.message, 500))
    for (const { account, status, text } of await both(rig)) {
      expect([status, text]).toEqual([500, 'source'])
      expect(await rig.charges(account)).toEqual([])
    }
  })
})

describe('other bodies that are complete are settled before they are sent', () => {
  const ways: Record<string, [Handler, string]> = {
    'c.text': [(c) => c.text('hello'), 'hello'],
    'c.text with a header': [(c) => c.text('hello', 200, { 'x-own': 'yes' }), 'hello'],
    'c.html': [(c) => c.html('<b>hello</b>'), '<b>hello</b>'],
    'c.body of bytes': [(c) => c.body(bytes('hello').buffer), 'hello'],
    'new Response of a long text': [() => new Response('x'.repeat(300_000)), 'x'.repeat(300_000)],
    'a stream that is over': [() => new Response(new ReadableStream({ start(out) { out.enqueue(bytes('ab')); out.close() } })), 'ab'],
    'nothing': [(c) => c.body(null), ''],
    'a 204': [(c) => c.body(null, 204), ''],
    'a 304': [(c) => c.body(null, 304), ''],
    'a redirect': [(c) => c.redirect('/elsewhere'), ''],
    'Response.redirect': [() => Response.redirect('http://h/elsewhere'), ''],
  }

  it.each(Object.entries(ways))('%s', async (_name, [handler, wanted]) => {
    const rig = selling(handler)
    for (const { account, headers, text } of await both(rig)) {
      expect(text === wanted).toBe(true)
      expect(creditsOf(headers)).toEqual(CHARGED)
      expect(await rig.charges(account)).toEqual([2])
    }
  })

  it('HEAD is settled without its body, which nobody reads', async () => {
    for (const handler of [
      (c) => c.json({ a: 1 }), (c) => c.text('hello'), (c) => streamSSE(c, async (out) => { await new Promise(() => {}); await out.close() }),
      () => new Response(new ReadableStream()),
    ] satisfies Handler[]) {
      const rig = selling(handler)
      for (const { account, headers, status, text } of await both(rig, {}, 'HEAD')) {
        expect([status, text, creditsOf(headers)]).toEqual([200, '', CHARGED])
        expect(await rig.charges(account)).toEqual([2])
      }
    }
  })
})

describe('streams pass through and are settled at their end', () => {
  const ways: Record<string, (c: Context, steps: (write: (text: string) => Promise<unknown>) => Promise<void>) => Response> = {
    streamText: (c, steps) => streamText(c, async (out) => steps((text) => out.write(text))),
    streamSSE: (c, steps) => streamSSE(c, async (out) => steps((text) => out.write(text))),
    'a ReadableStream': (c, steps) => c.body(new ReadableStream<Uint8Array>({ start: (out) => { void steps(async (text) => out.enqueue(bytes(text))).then(() => out.close(), (error) => out.error(error)) } })),
    'a ReadableStream with a length': (c, steps) => c.body(new ReadableStream<Uint8Array>({ start: (out) => { void steps(async (text) => out.enqueue(bytes(text))).then(() => out.close(), (error) => out.error(error)) } }), 200, { 'content-length': '10' }),
  }

  it.each(Object.entries(ways))('%s: the first byte goes out while the handler still writes', async (_name, way) => {
    const first = latch()
    const rig = selling((c) => way(c, async (write) => { await write('first'); await first.opened; await write('-last') }), { metering: false })
    const { res } = await rig.open('GET', '/run')
    expect(creditsOf(res.headers)).toEqual({ 'credits-ceiling': '5' })
    const [chunk] = await once(res, 'data') as [Buffer]
    expect(String(chunk)).toBe('first')
    expect(rig.store.count('settle')).toBe(0)
    first.open()
    expect(await text(res)).toBe('-last')
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([2])
    expect(rig.store.count('settle', 'release')).toBe(1)
  })

  it('headers go out before the first byte', async () => {
    const first = latch()
    const rig = selling((c) => streamText(c, async (out) => { await first.opened; await out.write('late') }))
    const { res } = await rig.open('GET', '/run')
    expect(res.statusCode).toBe(200)
    first.open()
    expect(await text(res)).toBe('late')
  })

  it('is read no faster than it is wanted', async () => {
    let made = 0
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({
      async pull(out) {
        await new Promise((resolve) => { setImmediate(resolve) })
        made++
        out.enqueue(bytes('x'.repeat(1_000)))
      },
    }, { highWaterMark: 0 })))
    const reader = (await rig.request('GET', '/run')).body!.getReader()
    for (let i = 0; i < 3; i++) await reader.read()
    const asked = made
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => { setImmediate(resolve) })
    expect([asked, made]).toEqual([3, 3])
    await reader.cancel()
  })

  it('that never waits is not read to its end first, on an edge runtime neither', async () => {
    const context = { waitUntil() {}, passThroughOnException() {} } as unknown as ExecutionContext
    for (const executionCtx of [undefined, context]) {
      const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({ pull(out) { out.enqueue(bytes('x')) } })))
      const reader = (await rig.app.request('/run', { headers: { 'x-account': 'ada' } }, {}, executionCtx)).body!.getReader()
      expect((await reader.read()).done).toBe(false)
      await reader.cancel()
      await rig.store.ended(1)
    }
  })

  it('is settled once when its reader goes away', async () => {
    const gone = vi.fn()
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({ start(out) { out.enqueue(bytes('first')) }, cancel: gone })))
    const reader = (await rig.request('GET', '/run', { headers: { 'x-account': 'direct' } })).body!.getReader()
    await reader.read()
    await reader.cancel('enough')
    expect(gone).toHaveBeenCalledWith('enough')
    expect(await rig.charges('direct')).toEqual([2])

    const { res } = await rig.open('GET', '/run', { headers: { 'x-account': 'wire' } })
    await once(res, 'data')
    res.destroy()
    await rig.store.ended(2)
    expect(await rig.charges('wire')).toEqual([2])
    expect(gone).toHaveBeenCalledTimes(2)
  })

  it('is settled once when its reader goes away while a chunk is awaited', async () => {
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({ start(out) { out.enqueue(bytes('first')) } })))
    const reader = (await rig.request('GET', '/run')).body!.getReader()
    await reader.read()
    const waiting = reader.read()
    await reader.cancel()
    expect((await waiting).done).toBe(true)
    expect([await rig.charges(), rig.store.count('settle', 'release')]).toEqual([[2], 1])
  })

  it('that breaks costs nothing, and breaks for its reader', async () => {
    for (const late of [false, true]) {
      const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({
        async pull(out) {
          if (late) await new Promise((resolve) => { setImmediate(resolve) })
          out.error(new Error('source'))
        },
      })))
      const response = await rig.request('GET', '/run')
      await expect(response.text()).rejects.toThrow('source')
      expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
    }
  })

  it('of a failure is settled at once, and still sent', async () => {
    const first = latch()
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({ async start(out) { out.enqueue(bytes('no')); await first.opened; out.close() } }), 500))
    const response = await rig.request('GET', '/run')
    expect(creditsOf(response.headers)).toMatchObject({ 'credits-charged': '0' })
    expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
    first.open()
    expect(await response.text()).toBe('no')
  })

  it('hands its settlement to waitUntil where there is one', async () => {
    const first = latch()
    const rig = selling((c) => streamText(c, async (out) => { await out.write('first'); await first.opened }))
    const waits: Promise<unknown>[] = []
    const context = { waitUntil: (work: Promise<unknown>) => void waits.push(work), passThroughOnException() {} } as unknown as ExecutionContext
    const response = await rig.app.request('/run', { headers: { 'x-account': 'ada' } }, {}, context)
    // One while its handlers run and one while it streams.
    expect(waits).toHaveLength(2)
    await waits[0]
    expect(rig.store.count('settle')).toBe(0)
    first.open()
    await response.text()
    await waits[1]
    expect(await rig.charges()).toEqual([2])
  })
})

describe('a handler that fails', () => {
  const ways: Record<string, [Handler, number]> = {
    'throws': [() => { throw new Error('broken') }, 500],
    'rejects': [() => Promise.reject(new Error('broken')), 500],
    'throws an HTTPException': [() => { throw new HTTPException(409, { message: 'broken' }) }, 409],
    'throws one that looks like a success': [() => { throw new HTTPException(302 as never, { res: new Response(null, { status: 302 }) }) }, 302],
    'answers 500': [(c) => c.json({ a: 1 }, 500), 500],
    'answers 404': [(c) => c.notFound(), 404],
    'returns nothing': [() => undefined as never, 500],
  }

  it.each(Object.entries(ways))('%s: it is free, and the answer is the one without billing', async (_name, [handler, status]) => {
    const rig = selling(handler, { metering: false })
    const bare = rigged()
    // One middleware at least: a handler alone, Hono runs in another way.
    bare.app.use(async (_, next) => { await next() }).get('/run', handler)
    for (const { app } of [rig, bare]) {
      const own = (app as unknown as { errorHandler: (error: Error, c: Context) => Response }).errorHandler
      app.onError((error, c) => (error instanceof HTTPException ? own(error, c) : c.text(`caught: ${error.message}`, 500)))
    }
    const [wanted] = await both(bare)
    for (const { account, headers, ...got } of await both(rig)) {
      expect([got.status, got.text]).toEqual([status, wanted!.text])
      expect(creditsOf(headers)['credits-charged'] ?? '0').toBe('0')
      expect([await rig.charges(account), rig.store.count('reserve')]).toEqual([[], rig.store.count('release')])
    }
  })

  it('with something that is no Error: released, and thrown on', async () => {
    const rig = selling(() => { throw 'a string' }) // eslint-disable-line no-throw-literal
    await expect(rig.request('GET', '/run')).rejects.toBe('a string')
    expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
  })

  it('tells in its metering that it was free', async () => {
    const rig = selling((c) => c.json({ error: 'no' }, 500))
    expect(await (await rig.request('GET', '/run')).json()).toEqual({ error: 'no', metering: { creditsCharged: 0, estimatedMaxCredits: 5 } })
  })

  it('a validator that refuses costs nothing', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { inside: [async (c, next) => (c.req.query('bad') ? c.text('bad', 400) : next())] })
    expect((await rig.request('GET', '/run?bad=1')).status).toBe(400)
    expect(await rig.charges()).toEqual([])
  })
})

describe('with other middleware', () => {
  const long = { text: 'x'.repeat(2_000) }
  const gunzipped = async (rig: Rig) => {
    const { res } = await rig.open('GET', '/run', { headers: { 'accept-encoding': 'gzip' } })
    const chunks: Buffer[] = []
    for await (const chunk of res) chunks.push(chunk as Buffer)
    return { headers: res.headers, text: String(gunzipSync(Buffer.concat(chunks))) }
  }

  it('compression outside: metering and headers are right', async () => {
    const rig = selling((c) => c.json(long), { outside: [compress()] })
    const { headers, text } = await gunzipped(rig)
    expect(JSON.parse(text)).toEqual({ ...long, metering: METERING })
    expect([headers['content-encoding'], creditsOf(headers)]).toEqual(['gzip', CHARGED])
  })

  it('compression outside: a text and a stream', async () => {
    for (const [handler, credits] of [[(c) => c.text(long.text), CHARGED], [(c) => c.body(new ReadableStream<Uint8Array>({ async pull(out) { await new Promise((resolve) => { setImmediate(resolve) }); out.enqueue(bytes(long.text)); out.close() } }), 200, { 'content-type': 'text/plain' }), { 'credits-ceiling': '5' }]] as [Handler, object][]) {
      const rig = selling(handler, { outside: [compress()] })
      const { headers, text } = await gunzipped(rig)
      expect([text === long.text, headers['content-encoding'], creditsOf(headers)]).toEqual([true, 'gzip', credits])
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([2])
    }
  })

  it('compression inside: the body passes through as a stream', async () => {
    const rig = selling((c) => c.json(long), { inside: [compress()], charge: () => 2 })
    const { headers, text } = await gunzipped(rig)
    expect(JSON.parse(text)).toEqual(long)
    expect(headers['content-encoding']).toBe('gzip')
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([2])
  })

  it('etag outside: tags what is sent, and a 304 is paid', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { outside: [etag()], metering: false })
    const first = await rig.request('GET', '/run')
    const tag = first.headers.get('etag')!
    const second = await rig.request('GET', '/run', { headers: { 'if-none-match': tag } })
    expect([first.status, second.status, await second.text()]).toEqual([200, 304, ''])
    expect(await rig.charges()).toEqual([2, 2])
  })

  it('etag inside: the tag goes weak where metering changes the bytes, and still matches', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { inside: [etag()] })
    const first = await rig.request('GET', '/run')
    const tag = first.headers.get('etag')!
    expect(tag).toMatch(/^W\/"/)
    const second = await rig.request('GET', '/run', { headers: { 'if-none-match': tag } })
    expect([second.status, creditsOf(second.headers)['credits-charged']]).toEqual([304, '2'])
    expect(await rig.charges()).toEqual([2, 2])
  })

  it('a header that comes later joins the others', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { outside: [async (c, next) => { await next(); c.header('x-late', 'yes') }] })
    const response = await rig.request('GET', '/run')
    expect([response.headers.get('x-late'), creditsOf(response.headers)]).toEqual(['yes', CHARGED])
  })

  it('a throw in middleware inside, after the handler, is free', async () => {
    const rig = selling((c) => c.json({ a: 1 }), { inside: [async (_, next) => { await next(); throw new Error('late') }] })
    rig.app.onError((_, c) => c.text('caught', 500))
    expect((await rig.request('GET', '/run')).status).toBe(500)
    expect(await rig.charges()).toEqual([])
  })
})

describe('a response that was written to Node itself', () => {
  it.each([[200, [2]], [500, []]] as const)('with status %i passes by and is settled', async (status, charges) => {
    const rig = selling((c) => {
      const { outgoing } = c.env as { outgoing: ServerResponse }
      outgoing.writeHead(status, { 'x-own': 'yes' }).end('written')
      return RESPONSE_ALREADY_SENT
    })
    const response = await rig.call('GET', '/run')
    expect([response.status, response.headers['x-own'], response.text]).toEqual([status, 'yes', 'written'])
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual(charges)
  })
})

it('without a paid route nothing of a response is touched', async () => {
  const rig = rigged({ prices: { 'GET /run': 'free' } })
  const response = new Response('mine')
  rig.app.use(rig.bill).get('/run', () => response).get('/other', () => response)
  expect(await rig.request('GET', '/run')).toBe(response)
  expect(await rig.request('GET', '/other')).toBe(response)
})
