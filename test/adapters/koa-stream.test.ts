import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { meter } from '@farebox/core/meter'
import { tokenUsage } from '@farebox/core'
import etag from '@koa/etag'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import compress from 'koa-compress'
import conditional from 'koa-conditional-get'
import { describe, expect, it, vi } from 'vitest'
import { rigs, versions, type Rig } from './koa-rig.js'

const TE = { headers: { te: 'trailers' } }
const SSE = 'text/event-stream'
const lastEvent = 'event: metering\ndata: {"creditsCharged":3,"estimatedMaxCredits":5}\n\n'

/** Ways in which a handler streams what a source gives. */
const ways: Readonly<Record<string, (source: PassThrough) => Middleware>> = {
  'as ctx.body': (source) => (ctx) => { ctx.type = SSE; ctx.body = source },
  'as ctx.body, headers flushed before': (source) => (ctx) => { ctx.status = 200; ctx.type = SSE; ctx.flushHeaders(); ctx.body = source },
  'past Koa, by a pipe': (source) => (ctx) => { ctx.respond = false; ctx.res.writeHead(200, { 'Content-Type': SSE }); source.pipe(ctx.res) },
  'past Koa, by write and end': (source) => (ctx) => {
    ctx.respond = false
    ctx.res.writeHead(200, 'Fine', ['Content-Type', SSE])
    source.on('data', (chunk: Buffer) => ctx.res.write(chunk.toString('latin1'), 'latin1')).on('end', () => ctx.res.end())
  },
  'past Koa, its last bytes with its end': (source) => (ctx) => {
    ctx.respond = false
    ctx.res.setHeader('content-type', SSE)
    ctx.res.statusCode = 200
    let last: Buffer | undefined
    source.on('data', (chunk: Buffer) => {
      ctx.res.write(last ?? '')
      last = chunk
    }).on('end', () => ctx.res.end(last))
  },
}

const webWay = (source: PassThrough): Middleware => (ctx) => { ctx.type = SSE; ctx.body = Readable.toWeb(source) as ReadableStream }

describe.each(versions)('%s', (version, Koa) => {
  const open = rigs(Koa)

  /** An app that sells `/run` for at most 5 credits. */
  function sold(handler: Middleware, { outside = [], terms = {} }: { outside?: readonly Middleware[]; terms?: object } = {}): Rig {
    const rig = open({ prices: { 'POST /run': { product: 'p', price: 5, ...terms }, 'GET /run': { product: 'p', price: 5, ...terms } } })
    outside.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(rig.bill)
    rig.app.use(new Router().post('/run', handler as never).get('/run', handler as never).routes())
    return rig
  }

  describe.each(Object.entries(version === 'koa 3' ? { ...ways, 'as a ReadableStream': webWay } : ways))('streams %s', (way, write) => {
    const streamed = async (options: Parameters<typeof sold>[1], sent: Parameters<Rig['open']>[2] = {}) => {
      const source = new PassThrough()
      const rig = sold(write(source), options)
      source.write('data: 1\n\n')
      if (way.includes('last bytes')) source.write('data: 2\n\n')
      const { req, res } = await rig.open('POST', '/run', sent)
      res.on('error', () => {})
      return { source, rig, req, res }
    }

    it('send their first byte at once, and are settled before their end', async () => {
      const { source, rig, res } = await streamed({ terms: { charge: () => 3, metering: true } }, TE)
      expect(res.headers).toMatchObject({ 'credits-ceiling': '5', trailer: 'Credits-Charged', 'transfer-encoding': 'chunked' })
      expect(String((await once(res, 'data'))[0])).toBe('data: 1\n\n')
      expect(rig.store.ends).toBe(0)
      source.end('data: 3\n\n')
      const rest = (await buffer(res)).toString()
      expect(rig.store.ends).toBe(1)
      expect(rest.endsWith(`data: 3\n\n\n\n${lastEvent}`)).toBe(true)
      expect(res.trailers).toEqual({ 'credits-charged': '3' })
      expect(await rig.charges()).toEqual([3])
    })

    it('have no trailer for a client that takes none', async () => {
      const { source, res } = await streamed({})
      source.end()
      await buffer(res)
      expect(res.headers.trailer).toBeUndefined()
      expect(res.trailers).toEqual({})
    })

    it.each([['metered', 5], ['ceiling', 5], ['release', undefined]] as const)('end with a client who leaves: %s', async (onAbort, charged) => {
      const { source, rig, req, res } = await streamed({ terms: { onAbort } })
      await once(res, 'data')
      req.destroy()
      await rig.store.ended(1)
      source.end('data: more\n\n')
      expect(await rig.charges()).toEqual(charged ? [charged] : [])
      expect(rig.store.ends).toBe(1)
    })

    it('are read for the tokens that they tell of', async () => {
      const { source, rig, res } = await streamed({ terms: tokenUsage({ rates: { input: 0.001, output: 0.01 }, ceiling: () => ({ input: 1_000, output: 400 }) }) })
      source.write('data: {"choices":[],"usage":{"prompt_tokens":1000,"compl')
      source.end('etion_tokens":50,"total_tokens":1050}}\n\ndata: [DONE]\n\n')
      await buffer(res)
      expect(await rig.charges()).toEqual([1.5])
    })
  })

  it('ends the source of a client who leaves while it is silent', async () => {
    const source = new PassThrough()
    const rig = sold(ways['as ctx.body']!(source))
    source.write('data: 1\n\n')
    const { req, res } = await rig.open('POST', '/run')
    res.on('error', () => {})
    await once(res, 'data')
    const closed = once(source, 'close').catch(() => {})
    req.destroy()
    await closed
    expect(await rig.charges()).toEqual([5])
  })

  it('takes an error on a response written past Koa for a failure', async () => {
    const rig = sold((ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200)
      ctx.res.write('a', () => ctx.res.destroy(new Error('the model failed')))
    })
    const { res } = await rig.open('POST', '/run')
    res.on('error', () => {})
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([])
  })

  it('takes a throw in mid-stream for a failure', async () => {
    const rig = sold(async (ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200)
      await new Promise((resolve) => ctx.res.write('a', resolve))
      throw new Error('the model failed')
    })
    const { res } = await rig.open('POST', '/run')
    res.on('error', () => {})
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([])
  })

  it('takes an error in a source whose headers were flushed before for a failure', async () => {
    const source = new PassThrough()
    const rig = sold(ways['as ctx.body, headers flushed before']!(source))
    source.write('a')
    const { res } = await rig.open('POST', '/run')
    res.on('error', () => {})
    await once(res, 'data')
    source.destroy(new Error('the model failed'))
    await rig.store.ended(1)
    expect(await rig.charges()).toEqual([])
  })

  it('reads no source ahead of a slow client', async () => {
    let made = 0
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const source = new Readable({ read() { this.push(made++ < 1_000 ? chunk : null) } })
    const rig = sold((ctx) => { ctx.type = 'text'; ctx.body = source })
    const { res } = await rig.open('POST', '/run')
    res.pause()
    let before = -1
    // Until nothing moves any more, however much the sockets hold.
    await vi.waitFor(() => {
      const now = made
      const still = now === before
      before = now
      expect(still).toBe(true)
    }, { interval: 100 })
    expect(made).toBeLessThan(500)
    expect(rig.store.ends).toBe(0)
    expect((await buffer(res)).length).toBe(1_000 * chunk.length)
    expect(await rig.charges()).toEqual([5])
  })

  it('starts no source that nobody reads', async () => {
    const started = vi.fn()
    const rig = sold((ctx) => {
      ctx.set('ETag', '"1"')
      ctx.type = 'text'
      ctx.body = Readable.from((async function* () {
        started()
        yield await Promise.resolve('a')
      })())
    }, { outside: [conditional()] })
    await rig.call('HEAD', '/run')
    expect((await rig.call('GET', '/run', { headers: { 'if-none-match': '"1"' } })).status).toBe(304)
    expect(started).not.toHaveBeenCalled()
    expect(await rig.charges()).toEqual([5, 5])
    await rig.call('GET', '/run')
    expect(started).toHaveBeenCalledOnce()
  })

  it('promises no trailer to a response that something outside of billing takes the body from', async () => {
    const file: Middleware = (ctx) => { ctx.set('ETag', '"1"'); ctx.type = 'text'; ctx.body = Readable.from([Buffer.from('a')]) }
    const rig = sold(file, { outside: [conditional(), etag()], terms: { metering: true } })
    const reply = await rig.call('GET', '/run', { headers: { te: 'trailers', 'if-none-match': '"1"' } })
    expect({ status: reply.status, trailer: reply.headers.trailer }).toEqual({ status: 304, trailer: undefined })
    expect(await rig.charges()).toEqual([5])
    expect(await rig.call('HEAD', '/run', TE)).toMatchObject({ status: 200 })
    expect(await rig.charges()).toEqual([5])
  })

  it('reads and ends a stream of events that something outside of billing compresses', async () => {
    const terms = { ...tokenUsage({ rates: { input: 0, output: 1 }, ceiling: () => ({ input: 10, output: 5 }) }), metering: true }
    const handler = (ctx: Context) => { ctx.type = SSE; ctx.body = Readable.from([Buffer.from('data: {"usage":{"prompt_tokens":1,"completion_tokens":3}}\n\n')]) }
    const rig = sold(handler as Middleware, { outside: [compress({ threshold: 0 })], terms })
    const { res } = await rig.open('POST', '/run', { headers: { 'accept-encoding': 'gzip', te: 'trailers' } })
    expect(gunzipSync(await buffer(res)).toString()).toMatch(new RegExp(`${lastEvent}$`))
    expect(res.trailers).toEqual({ 'credits-charged': '3' })
    expect(await rig.charges()).toEqual([3])
  })

  it('leaves the length of a stream, and what comes with it, as they are', async () => {
    const rig = sold((ctx) => { ctx.type = SSE; ctx.length = 2; ctx.body = Readable.from([Buffer.from('a'), Buffer.from('b')]) }, { terms: { metering: true } })
    const reply = await rig.call('POST', '/run', TE)
    expect(reply).toMatchObject({ text: 'ab', headers: { 'content-length': '2' } })
    expect(reply.headers.trailer).toBeUndefined()
  })

  describe('the meter', () => {
    const terms = { charge: ({ counts }: { counts: Record<string, number> }) => counts['step'] ?? 0 }
    const step = async () => {
      await new Promise(setImmediate)
      meter.count('step')
    }

    it.each<[string, Middleware]>([
      ['in a handler', async (ctx) => { await step(); await step(); ctx.body = 'x' }],
      ['in a source that is read to be sent', (ctx) => {
        ctx.type = 'text'
        ctx.body = Readable.from((async function* () {
          for (let i = 0; i < 2; i++) {
            await step()
            yield Buffer.alloc(100_000)
          }
        })())
      }],
      ['in a source of JSON', (ctx) => {
        ctx.type = 'json'
        ctx.body = Readable.from((async function* () {
          await step()
          yield Buffer.from('{}')
          await step()
        })())
      }],
    ])('finds its call %s', async (_, handler) => {
      const rig = sold(handler, { terms })
      await Promise.all([rig.call('POST', '/run'), rig.call('POST', '/run')])
      expect(await rig.charges()).toEqual([2, 2])
    })

    it('finds its call where billing is used in a router', async () => {
      const rig = open({ prices: { 'GET /x': { product: 'p', price: 5, ...terms } } })
      rig.app.use(new Router().use(rig.bill).get('/x', async (ctx) => { await step(); ctx.body = 'x' }).routes())
      await rig.call('GET', '/x')
      expect(await rig.charges()).toEqual([1])
    })
  })
})
