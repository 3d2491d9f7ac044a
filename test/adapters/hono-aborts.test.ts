import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { meter } from '@farebox/core/meter'
import { metered, type Route } from '@farebox/hono'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context, Handler } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import { latch } from '../support/apps/latch.js'
import { rigged, type Rig } from './hono-rig.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const turn = () => new Promise((resolve) => { setImmediate(resolve) })

/** `GET /run` for at most 5 credits, of which each lookup costs one. */
function selling(handler: Handler, onAbort?: Route['onAbort']): Rig {
  const counted = metered({ rates: { lookup: 1 }, ceiling: () => ({ lookup: 5 }), used: ({ counts }) => ({ lookup: counts['lookup'] ?? 0 }) })
  const rig = rigged({ prices: { 'GET /run': { product: 'p', ...counted, ...(onAbort && { onAbort }) } } })
  rig.app.use(rig.bill).get('/run', handler)
  return rig
}

/** A stream that has used two lookups when its first bytes are out, and waits then. */
function waiting(c: Context, more: { until?: Promise<unknown>, cancel?: (reason: unknown) => void } = {}): Response {
  let first = true
  return c.body(new ReadableStream<Uint8Array>({
    async pull(out) {
      if (first) meter.count('lookup', 2)
      else await (more.until ?? new Promise(() => {}))
      if (first) out.enqueue(bytes('first'))
      else out.close()
      first = false
    },
    ...(more.cancel && { cancel: more.cancel }),
  }, { highWaterMark: 0 }))
}

const policies = [['metered', 2], ['ceiling', 5], ['release', 0]] as const

describe('a client that leaves in the middle of a stream', () => {
  it.each(policies)('%s: costs %i, at once, and its source is told', async (onAbort, cost) => {
    const cancel = vi.fn()
    const rig = selling((c) => waiting(c, { cancel }), onAbort)
    const { res } = await rig.open('GET', '/run')
    await once(res, 'data')
    res.destroy()
    await rig.store.ended(1)
    expect([await rig.charges(), rig.store.count('settle', 'release')]).toEqual([cost ? [cost] : [], 1])
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
  })

  it('and whose handler breaks its source off for that has not failed', async () => {
    const rig = selling((c) => {
      const { signal } = c.req.raw
      meter.count('lookup', 3)
      return c.body(new ReadableStream<Uint8Array>({ start(out) { out.enqueue(bytes('first')); signal.addEventListener('abort', () => out.error(signal.reason)) } }))
    })
    const { res } = await rig.open('GET', '/run')
    await once(res, 'data')
    res.destroy()
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([3])
  })

  it.each(['reset', 'closed'])('nor one that hears of it from the socket, the connection %s', async (left) => {
    const rig = selling((c) => {
      meter.count('lookup', 3)
      const source = Readable.from((function* () { for (;;) yield 'x'.repeat(65_536) })(), { objectMode: false })
      const { incoming } = c.env as { incoming: IncomingMessage }
      incoming.socket.once('error', (error) => source.destroy(error)).once('close', () => source.destroy(new Error('gone')))
      return c.body(Readable.toWeb(source) as ReadableStream)
    })
    const { req, res } = await rig.open('GET', '/run')
    await once(res.on('error', () => {}), 'readable')
    if (left === 'reset') req.socket!.resetAndDestroy()
    else req.destroy()
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([3])
  })

  it('after its source has failed, though nobody has read that yet, pays nothing', async () => {
    let broken = () => {}
    const rig = selling((c) => {
      meter.count('lookup', 3)
      return c.body(new ReadableStream<Uint8Array>({ start(out) { broken = () => out.error(new Error('source')) }, pull(out) { out.enqueue(bytes('x')) } }, { highWaterMark: 0 }))
    })
    const reader = (await rig.request('GET', '/run')).body!.getReader()
    await reader.read()
    broken()
    await turn()
    await reader.cancel().catch(() => {})
    expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
  })

  it('on the last byte, or on a connection that is used again, pays for its own call only', async () => {
    const rig = selling((c) => { meter.count('lookup', Number(c.req.query('n'))); return waiting(c, { until: turn() }) })
    const { res } = await rig.open('GET', '/run?n=1')
    expect(await text(res)).toBe('first')
    const again = await rig.open('GET', '/run?n=2')
    expect(again.req.reusedSocket).toBe(true)
    await text(again.res)
    again.req.socket!.destroy()
    await turn()
    expect([await rig.charges(), rig.store.count('settle', 'release')]).toEqual([[3, 4], 2])
  })
})

describe('a client that leaves before the first byte', () => {
  it.each(policies)('%s: its handler goes on, and what comes of it counts by default', async (onAbort, cost) => {
    const left = latch()
    const rig = selling(async (c) => {
      meter.count('lookup', 1)
      c.req.raw.signal.addEventListener('abort', left.open)
      await left.opened
      meter.count('lookup', 1)
      rig.ran.push('on')
      return c.json({})
    }, onAbort)
    const req = await rig.send('GET', '/run')
    await rig.store.sent(1, 'reserve')
    await turn()
    req.destroy()
    await rig.store.ended(1)
    await vi.waitFor(() => expect(rig.ran).toEqual(['on']))
    expect([await rig.charges(), rig.store.count('settle', 'release')]).toEqual([cost ? [cost] : [], 1])
  })

  it('when its handler answers with a stream: that ends at once', async () => {
    const left = latch()
    const cancel = vi.fn()
    const rig = selling(async (c) => {
      c.req.raw.signal.addEventListener('abort', left.open)
      await left.opened
      return waiting(c, { cancel })
    })
    const req = await rig.send('GET', '/run')
    await rig.store.sent(1, 'reserve')
    await turn()
    req.destroy()
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([2])
    await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
  })

  it('when its handler fails then: 0', async () => {
    const left = latch()
    const rig = selling(async (c) => {
      meter.count('lookup', 1)
      c.req.raw.signal.addEventListener('abort', left.open)
      await left.opened
      return c.json({}, 500)
    })
    const req = await rig.send('GET', '/run')
    await rig.store.sent(1, 'reserve')
    await turn()
    req.destroy()
    await rig.store.ended(1)
    expect([await rig.charges(), rig.store.count('release')]).toEqual([[], 1])
  })

  it('while the store is asked', async () => {
    const rig = selling((c) => { meter.count('lookup', 2); return c.json({}) }, 'ceiling')
    const asked = latch()
    const may = latch()
    const send = rig.store.send
    rig.store.send = async (command) => {
      if (command.kind === 'reserve') {
        asked.open()
        await may.opened
      }
      return send(command)
    }
    const gone = latch()
    const req = await rig.send('GET', '/run')
    await asked.opened
    req.on('close', gone.open).destroy()
    await gone.opened
    // Until the server has seen it, too.
    for (let i = 0; i < 20; i++) await turn()
    may.open()
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([5])
  })
})

describe('a stream that nobody reads', () => {
  it('since a middleware around billing answers something else, is settled', async () => {
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 5 } } })
    rig.app.use(async (c, next) => { await next(); c.res = undefined; c.res = new Response('other') })
    rig.app.use(rig.bill).get('/run', (c) => waiting(c))
    expect((await rig.call('GET', '/run')).text).toBe('other')
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([5])
  })

  it('nor anything else, since its client had left, is settled', async () => {
    const left = latch()
    const rig = rigged({ prices: { 'GET /run': { product: 'p', price: 5 } } })
    rig.app.use(async (c, next) => { await next(); c.res = undefined; c.res = new Response('other') })
    rig.app.use(rig.bill).get('/run', async (c) => {
      c.req.raw.signal.addEventListener('abort', () => setImmediate(left.open))
      await left.opened
      return waiting(c)
    })
    const req = await rig.send('GET', '/run')
    await rig.store.sent(1, 'reserve')
    await turn()
    req.destroy()
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([5])
  })
})

it('a response that its handler has sent through Node itself was not left', async () => {
  const rig = selling(async (c) => {
    meter.count('lookup', 2)
    const { outgoing } = c.env as { outgoing: ServerResponse }
    await once(outgoing.end('sent'), 'close')
    return RESPONSE_ALREADY_SENT
  }, 'release')
  expect((await rig.call('GET', '/run')).text).toBe('sent')
  await rig.store.ended(1)
  expect(await rig.charges()).toEqual([2])
})

/** Numbers from 0 to 1, the same in every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

it('every call ends once, whatever the moment its client leaves', async () => {
  const CALLS = 400
  const next = random(7)
  const counted = metered({ rates: { lookup: 1 }, ceiling: () => ({ lookup: 8 }), used: ({ counts }) => ({ lookup: counts['lookup'] ?? 0 }) })
  const policy = { metered: counted, ceiling: { ...counted, onAbort: 'ceiling' as const }, release: { ...counted, onAbort: 'release' as const } }
  const rig = rigged({
    allowance: 100_000,
    prices: Object.fromEntries(Object.entries(policy).flatMap(([name, terms]) => ['json', 'stream'].map((kind) => [`GET /${kind}/${name}`, { product: name, ...terms }]))),
  })
  const answered = { json: 0, stream: 0 }
  const steps = async (c: Context, each: () => void) => {
    for (let left = Number(c.req.query('steps')); left > 0; left--) {
      await turn()
      meter.count('lookup')
      each()
    }
    if (c.req.query('broken')) throw new Error('broken')
  }
  rig.app.use(rig.bill)
  rig.app.onError((_, c) => c.text('broken', 500))
  for (const name of Object.keys(policy)) {
    rig.app.get(`/json/${name}`, async (c) => {
      try {
        await steps(c, () => {})
        return c.json({})
      } finally {
        answered.json++
      }
    })
    rig.app.get(`/stream/${name}`, (c) => c.body(new ReadableStream<Uint8Array>({
      start(out) {
        void steps(c, () => out.enqueue(bytes('x'.repeat(100)))).then(() => out.close()).catch((error) => out.error(error)).finally(() => answered.stream++)
      },
    })))
  }

  const seen = { before: 0, during: 0, after: 0 }
  const call = async () => {
    const path = `/${next() < 0.5 ? 'json' : 'stream'}/${['metered', 'ceiling', 'release'][Math.floor(next() * 3)]}?steps=${1 + Math.floor(next() * 8)}${next() < 0.1 ? '&broken=1' : ''}`
    const patience = Math.floor(next() * 60)
    const req = await rig.send('GET', path)
    let at: keyof typeof seen = 'before'
    req.on('response', (res) => {
      at = 'during'
      res.on('end', () => { at = 'after' }).on('error', () => {}).resume()
    })
    for (let i = 0; i < patience; i++) await turn()
    seen[at]++
    if (at !== 'after' || next() < 0.3) req.destroy()
    else if (!req.closed) await once(req, 'close')
  }
  const log = vi.spyOn(console, 'error').mockImplementation(() => {})
  await rig.call('GET', '/nowhere')
  for (let batch = 0; batch < CALLS / 50; batch++) await Promise.all(Array.from({ length: 50 }, call))

  // Clients that left before their call was admitted have none.
  await vi.waitFor(() => expect([rig.store.count('settle', 'release'), answered.json + answered.stream]).toEqual([rig.store.count('reserve'), rig.store.count('reserve')]), { timeout: 10_000 })
  log.mockRestore()
  expect(rig.store.count('reserve')).toBeGreaterThan(CALLS / 2)
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(10)
  expect(new Set(rig.store.endings).size).toBe(rig.store.endings.length)
  // Fails while anything is still reserved.
  expect((await rig.charges()).length).toBeLessThanOrEqual(rig.store.count('settle'))
  expect(rig.errors).toEqual([])
}, 30_000)
