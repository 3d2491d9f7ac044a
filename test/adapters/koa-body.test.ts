import { MAX_BODY_BYTES } from '@farebox/core/adapter'
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import oldBodyParser from 'koa-bodyparser'
import { koaBody } from 'koa-body'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rigs, versions, type Sent } from './koa-rig.js'

const parsers: Readonly<Record<string, () => Middleware>> = {
  '@koa/bodyparser': () => bodyParser(),
  'koa-bodyparser': () => oldBodyParser(),
  'koa-body': () => koaBody({ multipart: true }) as Middleware,
}

const Input = z.object({ count: z.number().default(40), text: z.string().optional() })
const prices = { 'POST /run': { product: 'p', body: Input, price: ({ body }: { body: z.infer<typeof Input> }) => body.count } }

const json = (value: unknown): Sent => ({ headers: { 'content-type': 'application/json' }, body: typeof value === 'string' ? value : JSON.stringify(value) })
const typed = (type: string, body: string): Sent => ({ headers: type ? { 'content-type': type } : {}, body })

describe.each(versions)('%s', (_, Koa) => {
  const open = rigs(Koa)

  /** An app that echoes what its handler finds in `ctx.request.body`. */
  function app(before: readonly Middleware[], after: readonly Middleware[], handler: Middleware = (ctx) => { ctx.body = { found: (ctx.request as { body?: unknown }).body } }) {
    const rig = open({ prices: prices as never })
    before.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(rig.bill)
    after.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(new Router().post('/run', (ctx: Context, next) => {
      rig.ran.push('handler')
      return handler(ctx as never, next)
    }).routes())
    return rig
  }

  async function readAll(ctx: Context): Promise<void> {
    ctx.body = { found: await text(ctx.req) }
  }

  describe.each(Object.keys(parsers))('%s', (name) => {
    const parser = parsers[name]!

    it('before billing: prices what it parsed', async () => {
      const rig = app([parser()], [])
      expect((await rig.call('POST', '/run', json({ count: 3 }))).text).toBe('{"found":{"count":3}}')
      expect((await rig.call('POST', '/run', json({}))).status).toBe(200)
      expect((await rig.call('POST', '/run')).status).toBe(200)
      expect(await rig.charges()).toEqual([3, 40, 40])
    })

    /** The parser on the route, behind the gate: the gate has to read the body itself. */
    const late = () => app([], [], async (ctx, next) => {
      await parser()(ctx, next)
      ctx.body = { found: (ctx.request as { body?: unknown }).body }
    })

    it('behind billing, for the app or on the route: prices the same and the parser sees all', async () => {
      for (const rig of [app([], [parser()]), late()]) {
        const long = 'zwölf €'.repeat(20_000)
        expect(JSON.parse((await rig.call('POST', '/run', json({ count: 3, text: long }))).text)).toEqual({ found: { count: 3, text: long } })
        expect((await rig.call('POST', '/run', { headers: { 'content-type': 'application/json' }, body: ['{"cou', 'nt":4', '}'] })).text).toBe('{"found":{"count":4}}')
        expect((await rig.call('POST', '/run', json({}))).status).toBe(200)
        expect(await rig.charges()).toEqual([3, 4, 40])
      }
    })

    it('takes no such type: never priced as an empty input', async () => {
      for (const rig of [app([parser()], []), app([], [parser()]), late()]) {
        for (const sent of [typed('application/x-unknown', '{"count":1}'), typed('', '{"count":1}'), typed('application/json-seq', '{"count":1}'), typed('application/octet-stream', '{}')]) {
          const reply = await rig.call('POST', '/run', sent)
          expect({ sent, status: reply.status, text: reply.text }).toMatchObject({ status: 422, text: expect.stringContaining('INVALID_REQUEST') as string })
        }
        expect(await rig.charges()).toEqual([])
        expect(rig.ran).toEqual([])
      }
    })

    it('broken JSON runs nothing and costs nothing; who meets it first refuses it', async () => {
      for (const broken of ['{"count":', 'x', '{"count":1}}']) {
        for (const [rig, status] of [[app([parser()], []), 400], [app([], [parser()]), 400], [late(), 422]] as const) {
          expect((await rig.call('POST', '/run', json(broken))).status).toBe(status)
          expect(await rig.charges()).toEqual([])
          expect(rig.ran).toEqual([])
        }
      }
    })
  })

  it('prices what a form parser made of a form', async () => {
    const rig = app([bodyParser()], [])
    expect((await rig.call('POST', '/run', typed('application/x-www-form-urlencoded', 'text=x'))).text).toBe('{"found":{"text":"x"}}')
    expect(await rig.charges()).toEqual([40])
  })

  it('leaves the request as it was for a handler that reads it itself', async () => {
    const rig = app([], [], readAll)
    expect((await rig.call('POST', '/run', json('{ "count": 5 }'))).text).toBe(JSON.stringify({ found: '{ "count": 5 }' }))
    const parts = ['{"text":"', ...Array.from({ length: 50 }, (_, i) => `${i} `.repeat(300)), '","count":6}']
    const reply = await rig.call('POST', '/run', { headers: { 'content-type': 'application/json; charset=utf-8' }, body: parts })
    expect(JSON.parse(reply.text)).toEqual({ found: parts.join('') })
    expect((await rig.call('POST', '/run', { headers: { 'content-type': 'application/json' }, body: [] })).text).toBe('{"found":""}')
    expect(await rig.charges()).toEqual([5, 6, 40])
  })

  it('leaves a chunked body without a byte readable to its end', async () => {
    const rig = app([], [], readAll)
    const reply = await rig.call('POST', '/run', { headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }, body: [] })
    expect(reply.text).toBe('{"found":""}')
  })

  it('reads a body once where a request enters several routes', async () => {
    const rig = open({ prices: { ...prices, 'POST /:any': prices['POST /run'] } as never })
    rig.app.use(rig.bill)
    rig.app.use(new Router().post('/:any', (_, next) => next()).post('/run', readAll).routes())
    expect((await rig.call('POST', '/run', json({ count: 3 }))).text).toBe('{"found":"{\\"count\\":3}"}')
    expect(await rig.charges()).toEqual([3])
  })

  it('reads no more than it may', async () => {
    const rig = app([], [], readAll)
    const large = JSON.stringify({ count: 1, text: 'x'.repeat(MAX_BODY_BYTES) })
    for (const body of [large, [large.slice(0, 700_000), large.slice(700_000)]]) {
      expect((await rig.call('POST', '/run', { headers: { 'content-type': 'application/json' }, body })).status).toBe(422)
    }
    const most = JSON.stringify({ count: 1, text: '' }).length
    const fits = JSON.stringify({ count: 1, text: 'x'.repeat(MAX_BODY_BYTES - most) })
    expect(JSON.parse((await rig.call('POST', '/run', { headers: { 'content-type': 'application/json' }, body: [fits] })).text)).toEqual({ found: fits })
    expect(await rig.charges()).toEqual([1])
  })

  it('takes no body in another charset or coding, which a parser may read in its own way', async () => {
    const rig = app([], [], readAll)
    for (const headers of [{ 'content-type': 'application/json; charset=utf-16le' }, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, { 'content-type': 'application/vnd.x+json' }]) {
      expect((await rig.call('POST', '/run', { headers: headers as never, body: '{"count":1}' })).status).toBe(422)
    }
    expect(await rig.charges()).toEqual([])
  })

  it('leaves a body alone that something else has read, has begun to read or is about to', async () => {
    const seen: string[] = []
    const ends: Middleware = async (ctx, next) => {
      seen.push(await text(ctx.req))
      await next()
    }
    const begins: Middleware = async (ctx, next) => {
      seen.push(String((await once(ctx.req, 'data'))[0]))
      ctx.req.pause()
      await next()
    }
    const flows: Middleware = (ctx, next) => {
      ctx.req.on('data', (chunk) => seen.push(String(chunk)))
      return next()
    }
    for (const reader of [ends, begins, flows]) {
      const rig = app([reader], [])
      expect((await rig.call('POST', '/run', json({ count: 1 }))).status).toBe(422)
      expect(await rig.charges()).toEqual([])
    }
    expect(seen).toEqual(['{"count":1}', '{"count":1}', '{"count":1}'])
  })

  it('waits for no body that something else waits for', async () => {
    const rig = app([(ctx, next) => {
      ctx.req.on('data', () => {})
      return next()
    }], [])
    if (!rig.server.listening) await once(rig.server, 'listening')
    const socket = connect((rig.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('POST /run HTTP/1.1\r\nHost: h\r\nx-account: ada\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n')
    expect(String((await once(socket, 'data'))[0])).toContain('422')
    socket.destroy()
  })

  it('survives a caller who leaves in the middle of a body', async () => {
    const rig = app([], [])
    let arrived!: () => void
    let answer!: (status: number) => void
    const reading = new Promise<void>((resolve) => { arrived = resolve })
    const answered = new Promise<number>((resolve) => { answer = resolve })
    rig.app.middleware.unshift(async (ctx, next) => {
      ctx.req.once('newListener', () => arrived())
      await next()
      answer(ctx.status)
    })
    if (!rig.server.listening) await once(rig.server, 'listening')
    const socket = connect((rig.server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write('POST /run HTTP/1.1\r\nHost: h\r\nx-account: ada\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"count":1')
    await reading
    socket.destroy()
    expect(await answered).toBe(422)
    expect(rig.ran).toEqual([])
    expect(await rig.charges()).toEqual([])
  })
})
