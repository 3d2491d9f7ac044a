import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { meter } from '@farebox/core/meter'
import { billable, metered, type Route } from '@farebox/hono'
import type { Handler } from 'hono'
import { compress } from 'hono/compress'
import { streamSSE } from 'hono/streaming'
import { describe, expect, it } from 'vitest'
import { latch } from '../support/apps/latch.js'
import { creditsOf, rigged, type Rig } from './hono-rig.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const turn = () => new Promise((resolve) => { setImmediate(resolve) })

/** `GET /run` for at most 5 credits, which costs 2. */
function selling(handler: Handler, route: Partial<Route> = {}): Rig {
  const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 5, charge: () => 2, ...route } } })
  rig.app.use(rig.bill).get('/run', handler)
  return rig
}

/** A response in pieces, each in a turn of its own. */
function pieces(parts: readonly (string | Error)[], headers: Record<string, string> = {}): Handler {
  return (c) => {
    const left = [...parts]
    return c.body(new ReadableStream<Uint8Array>({
      async pull(out) {
        await turn()
        const part = left.shift()
        if (part instanceof Error) throw part
        else if (part === undefined) out.close()
        else out.enqueue(bytes(part))
      },
    }, { highWaterMark: 0 }), 200, headers)
  }
}

async function exchanged(rig: Rig, headers: Record<string, string> = {}) {
  const { res } = await rig.open('GET', '/run', { headers })
  return { body: await text(res), headers: res.headers, trailers: res.trailers }
}

describe('the trailer', () => {
  it('tells the charge to a client that takes trailers, and is announced', async () => {
    const rig = selling(pieces(['a', 'b']))
    const { body, headers, trailers } = await exchanged(rig, { te: 'trailers' })
    expect([body, headers['trailer'], creditsOf(headers), trailers]).toEqual(['ab', 'Credits-Charged', { 'credits-ceiling': '5' }, { 'credits-charged': '2' }])
    expect(await rig.charges()).toEqual([2])
  })

  it('also of a stream that is over before it is sent', async () => {
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({ start(out) { out.enqueue(bytes('a')); out.enqueue(bytes('b')); out.close() } })))
    const { body, trailers } = await exchanged(rig, { te: 'trailers' })
    expect([body, trailers]).toEqual(['ab', { 'credits-charged': '2' }])
  })

  it('also of a stream that has nothing to send', async () => {
    const { body, trailers } = await exchanged(selling(pieces([])), { te: 'trailers' })
    expect([body, trailers]).toEqual(['', { 'credits-charged': '2' }])
  })

  it('is not sent where there can be none', async () => {
    const without = async (rig: Rig, headers: Record<string, string>) => {
      const got = await exchanged(rig, headers)
      await rig.store.ended(1)
      expect([got.headers['trailer'], got.trailers, await rig.charges()]).toEqual([undefined, {}, [2]])
    }
    await without(selling(pieces(['a', 'b'])), {})
    await without(selling(pieces(['a', 'b'], { 'content-length': '2' })), { te: 'trailers' })
    await without(selling((c) => c.text('whole')), { te: 'trailers' })
    const head = selling(pieces(['a', 'b']))
    expect((await head.call('HEAD', '/run', { headers: { te: 'trailers' } })).headers['trailer']).toBeUndefined()
  })

  it('is not sent over HTTP/1.0', async () => {
    const rig = selling(pieces(['a', 'b']))
    const { req } = await rig.open('GET', '/run')
    const socket = connect(req.socket!.remotePort!, '127.0.0.1')
    socket.write('GET /run HTTP/1.0\r\nhost: h\r\nx-account: old\r\nte: trailers\r\n\r\n')
    expect(await text(socket)).toMatch(/\r\n\r\nab$/)
    expect(await rig.charges('old')).toEqual([2])
  })

  it('leaves a handler its own', async () => {
    const rig = selling((c) => {
      const { outgoing } = c.env as { outgoing: { addTrailers(trailers: object): void } }
      outgoing.addTrailers({ 'x-own': 'yes' })
      return pieces(['a'], { 'trailer': 'X-Own', 'transfer-encoding': 'chunked' })(c, undefined as never)
    })
    const { headers, trailers } = await exchanged(rig, { te: 'trailers' })
    expect([headers['trailer'], trailers, await rig.charges()]).toEqual(['X-Own', { 'x-own': 'yes' }, [2]])
  })

  it('compression around billing', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 5 } } })
    rig.app.use(compress({ threshold: 0 })).use(rig.bill).get('/run', pieces(['a', 'b'], { 'content-type': 'text/plain' }))
    const { body, trailers } = await exchanged(rig, { te: 'trailers', 'accept-encoding': 'gzip' })
    expect([body, trailers]).toEqual(['ab', { 'credits-charged': '5' }])
  })
})

describe('server-sent events', () => {
  const tail = '\n\nevent: metering\ndata: {"creditsCharged":2,"estimatedMaxCredits":5}\n\n'

  it.each([true, false])('end with what they cost where the route asks, however fast they come: at once %s', async (fast) => {
    const rig = selling((c) => streamSSE(c, async (out) => {
      for (const data of ['one', 'two']) {
        if (!fast) await turn()
        await out.writeSSE({ data })
      }
    }), { metering: true })
    expect((await exchanged(rig)).body).toBe(`data: one\n\ndata: two\n\n${tail}`)
    expect(await rig.charges()).toEqual([2])
  })

  it('as a text, too', async () => {
    const rig = selling((c) => c.body('data: one\n\n', 200, { 'content-type': 'text/event-stream' }), { metering: true })
    expect((await exchanged(rig)).body).toBe(`data: one\n\n${tail}`)
  })

  it('stay as they are where the route does not ask, or their length was told', async () => {
    const type = { 'content-type': 'text/event-stream' }
    expect((await exchanged(selling(pieces(['data: one\n\n'], type)))).body).toBe('data: one\n\n')
    expect((await exchanged(selling(pieces(['data: one\n\n'], { ...type, 'content-length': '11' }), { metering: true }))).body).toBe('data: one\n\n')
  })
})

describe('a stream', () => {
  it('is made no faster than a slow reader reads it', async () => {
    let made = 0
    const size = 64 * 1_024
    const total = 512
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({
      async pull(out) {
        await turn()
        if (made++ < total) out.enqueue(new Uint8Array(size))
        else out.close()
      },
    }, { highWaterMark: 0 })))
    const { res } = await rig.open('GET', '/run')
    let before = -1
    // What the sockets on the way hold is all that is ahead.
    while (before !== made) {
      before = made
      for (let i = 0; i < 200; i++) await turn()
    }
    expect(made).toBeLessThan(total / 2)
    expect(rig.store.count('settle')).toBe(0)
    let read = 0
    for await (const chunk of res) read += (chunk as Buffer).byteLength
    expect(read).toBe(total * size)
    expect(await rig.charges()).toEqual([2])
  })

  it('of strings passes as well', async () => {
    const of = (parts: string[]) => new ReadableStream<string>({ start(out) { for (const part of parts) out.enqueue(part); out.close() } }) as never
    for (const parts of [['ä'], ['ä', 'b', 'c']]) expect((await exchanged(selling((c) => c.body(of(parts), 200, { 'content-type': 'text/plain' })))).body).toBe(parts.join(''))
  })

  it('that breaks in the middle costs 0, and its client sees it break', async () => {
    const rig = selling(pieces(['a', 'b', new Error('source')]))
    await expect(exchanged(rig)).rejects.toThrow(/aborted|terminated/)
    await rig.store.ended(1)
    expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
  })

  it('is settled before its end is sent', async () => {
    const rig = selling(pieces(['a', 'b']))
    const { res } = await rig.open('GET', '/run')
    res.resume()
    await once(res, 'end')
    expect(rig.store.count('settle')).toBe(1)
  })
})

describe('the meter', () => {
  const counted = metered({ rates: { lookup: 1 }, ceiling: () => ({ lookup: 5 }), used: ({ counts }) => ({ lookup: counts['lookup'] ?? 0 }) })

  it.each<[string, Handler]>([
    ['a handler', async (c) => { await turn(); meter.count('lookup', 3); return c.json({}) }],
    ['what a stream helper runs', (c) => streamSSE(c, async (out) => { await out.writeSSE({ data: '1' }); await turn(); meter.count('lookup', 3) })],
    ['the source of a stream', (c) => {
      let left = 3
      return c.body(new ReadableStream<Uint8Array>({ async pull(out) { await turn(); if (left-- === 0) return out.close(); meter.count('lookup'); out.enqueue(bytes('x')) } }, { highWaterMark: 0 }))
    }],
    ['the source of JSON', (c) => {
      let left = 3
      return c.body(new ReadableStream<Uint8Array>({ async pull(out) { await turn(); if (left-- === 0) return out.close(); meter.count('lookup'); out.enqueue(bytes('1')) } }, { highWaterMark: 0 }), 200, { 'content-type': 'application/json' })
    }],
  ])('counts in %s', async (_, handler) => {
    const rig = selling(handler, counted)
    await Promise.all([exchanged(rig), exchanged(rig)])
    expect(await rig.charges()).toEqual([3, 3])
  })

  it('behind a gate and behind billable, and nowhere else', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', ...counted }, 'GET /free': 'free' } })
    const count: Handler = (c) => { meter.count('lookup', 4); return c.json({ left: meter.remaining() === Infinity ? 'none' : meter.remaining() }) }
    rig.app.use(rig.bill).get('/run', (_, next) => next(), count).get('/own', billable({ product: 'own', ...counted }), (_, next) => { meter.count('lookup'); return next() }, count).get('/free', count)
    for (const [path, left] of [['/run', 1], ['/own', 0], ['/free', 'none']] as const) expect(await (await rig.request('GET', path)).json()).toEqual({ left })
    expect(await rig.charges()).toEqual([4, 5])
  })

  it('does not mix up calls that stream at once', async () => {
    const all = latch()
    const rig = selling((c) => c.body(new ReadableStream<Uint8Array>({
      async pull(out) {
        await all.opened
        meter.count('lookup', Number(c.req.query('n')))
        out.enqueue(bytes('x'))
        out.close()
      },
    }, { highWaterMark: 0 })), counted)
    const calls = await Promise.all([1, 2, 3].map((n) => rig.open('GET', `/run?n=${n}`, { headers: { 'x-account': String(n) } })))
    all.open()
    await Promise.all(calls.map(({ res }) => text(res)))
    expect(await Promise.all(['1', '2', '3'].map((account) => rig.charges(account)))).toEqual([[1], [2], [3]])
  })
})
