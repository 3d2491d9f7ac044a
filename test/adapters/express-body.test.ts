import { MAX_BODY_BYTES } from '@farebox/core/adapter'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import type { Request, RequestHandler } from 'express'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rigs, versions, type Rig } from './express-rig.js'

const prices = { 'POST /run': { product: 'p', body: z.object({ n: z.number().default(1) }), price: ({ body }: { body: { n: number } }) => body.n } }

describe.each(versions)('%s', (_, express) => {
  const open = rigs(express)

  /** An app whose handler answers with what it finds in `req.body`, behind these parsers. */
  function app({ before = [], after = [] }: { before?: RequestHandler[]; after?: RequestHandler[] }) {
    const rig = open({ prices: prices as never })
    if (before.length > 0) rig.app.use(...before)
    rig.app.use(rig.bill)
    rig.app.post('/run', ...after, (req: Request, res) => {
      rig.ran.push('run')
      res.json({ body: req.body as unknown })
    })
    return rig
  }

  it.each(['before', 'after'] as const)('prices what a parser %s billing reads, and the handler gets it', async (where) => {
    const rig = app({ [where]: [express.json({ limit: '5mb' })] })
    const long = { n: 3, text: 'ü'.repeat(300_000) }
    expect((await rig.call('POST /run', { body: { n: 2 } })).json).toEqual({ body: { n: 2 } })
    expect((await rig.call('POST /run', { body: long })).json).toEqual({ body: long })
    expect((await rig.call('POST /run', { body: ['{"n"', ':', '4}'], headers: { 'content-type': 'application/json' } })).json).toEqual({ body: { n: 4 } })
    expect(await rig.charges()).toEqual([2, 3, 4])
  })

  it('leaves the body whole to a handler that reads the request itself', async () => {
    const rig = open({ prices: prices as never })
    rig.app.use(rig.bill)
    rig.app.post('/run', async (req, res) => {
      res.json({ read: await text(req) })
    })
    const body = JSON.stringify({ n: 5, text: 'x'.repeat(200_000) })
    const headers = { 'content-type': 'application/json' }
    expect((await rig.call('POST /run', { body, headers })).json).toEqual({ read: body })
    expect((await rig.call('POST /run', { body: [body.slice(0, 7), body.slice(7)], headers })).json).toEqual({ read: body })
    expect(await rig.charges()).toEqual([5, 5])
  })

  it('leaves it whole to a verify hook, and to one that listens for data', async () => {
    let verified = ''
    const rig = app({ after: [
      express.json({ verify: (_req, _res, bytes) => { verified = bytes.toString() } }),
    ] })
    await rig.call('POST /run', { body: { n: 1 } })
    expect(verified).toBe('{"n":1}')
    const other = app({ after: [(req, _res, next) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        req.body = Buffer.concat(chunks).toString()
        next()
      })
    }] })
    expect((await other.call('POST /run', { body: { n: 1 } })).json).toEqual({ body: '{"n":1}' })
  })

  it('has no body to price where none was sent', async () => {
    for (const rig of [app({}), app({ before: [express.json()] }), app({ after: [express.json()] })]) {
      const reply = await rig.call('POST /run')
      expect(reply.status).toBe(422)
      expect(reply.json).toMatchObject({ error: { code: 'INVALID_REQUEST' } })
      expect(rig.ran).toEqual([])
    }
  })

  it('reads a body of no bytes ahead as none, and as what a parser made of it', async () => {
    const empty = { body: [], headers: { 'transfer-encoding': 'chunked', 'content-type': 'application/json' } }
    expect((await app({ after: [express.json()] }).call('POST /run', empty)).status).toBe(422)
    expect((await app({ before: [express.json()] }).call('POST /run', empty)).json).toEqual({ body: {} })
    const plain = open({ prices: { 'POST /run': { product: 'p', body: z.undefined(), price: 1 } } as never })
    plain.app.use(plain.bill)
    plain.app.post('/run', async (req, res) => {
      res.json({ read: await text(req) })
    })
    expect((await plain.call('POST /run', empty)).json).toEqual({ read: '' })
  })

  it.each([
    ['text/plain', '{"n":1}'],
    ['application/x-www-form-urlencoded', 'n=5'],
    ['application/json; charset=utf-16le', '{"n":1}'],
    ['', '{"n":1}'],
  ])('never prices a body of type "%s" that no parser took as an empty one', async (type, body) => {
    for (const rig of [app({}), app({ before: [express.json({ type: 'application/none' })] }), app({ after: [express.json({ type: 'application/none' })] })]) {
      const reply = await rig.call('POST /run', { body, headers: type ? { 'content-type': type } : {} })
      expect(reply.status).toBe(422)
      expect(rig.ran).toEqual([])
      expect(await rig.charges()).toEqual([])
    }
  })

  it('reads JSON that a parser of another type let be', async () => {
    const rig = app({ before: [express.urlencoded({ extended: false })], after: [express.json()] })
    expect((await rig.call('POST /run', { body: { n: 6 } })).json).toEqual({ body: { n: 6 } })
    expect(await rig.charges()).toEqual([6])
  })

  it('prices {} as {} where that was sent', async () => {
    for (const rig of [app({ before: [express.json()] }), app({ after: [express.json()] })]) {
      await rig.call('POST /run', { body: {} })
      expect(await rig.charges()).toEqual([1])
    }
  })

  it('takes what other parsers make of it', async () => {
    const rig = app({ before: [express.urlencoded({ extended: false }), (req, _res, next) => {
      req.body = { n: Number((req.body as { n: string }).n) }
      next()
    }] })
    await rig.call('POST /run', { body: 'n=5', headers: { 'content-type': 'application/x-www-form-urlencoded' } })
    expect(await rig.charges()).toEqual([5])
  })

  it.each(['{"n":', 'nonsense', ' ', '{"n":1}}'])('refuses what is no JSON: %s', async (body) => {
    const rig = app({ after: [express.json()] })
    expect((await rig.call('POST /run', { body, headers: { 'content-type': 'application/json' } })).status).toBe(422)
    expect(rig.ran).toEqual([])
  })

  it('reads text as parsers do, with a mark at its start and bytes that are none', async () => {
    const send = async (app: Rig) => {
      const socket = await app.raw('POST /run HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n')
      socket.write(Buffer.from([0xef, 0xbb, 0xbf, ...Buffer.from('{"n":2,"'), 0xff, ...Buffer.from('":1}')]))
      return text(socket)
    }
    for (const rig of [app({ before: [express.json()] }), app({ after: [express.json()] })]) {
      expect(await send(rig)).toMatch(/^HTTP\/1.1 200[^]*\uFFFD/)
      expect(await rig.charges()).toEqual([2])
    }
  })

  it('refuses what is compressed', async () => {
    const rig = app({})
    expect((await rig.call('POST /run', { body: '{"n":1}', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } })).status).toBe(422)
  })

  it('reads ahead as much as it may, and refuses more', async () => {
    const rig = app({ after: [express.json({ limit: '10mb' })] })
    const headers = { 'content-type': 'application/json' }
    const body = (length: number) => `{"n":2${' '.repeat(length - 7)}}`
    expect((await rig.call('POST /run', { body: body(MAX_BODY_BYTES), headers })).status).toBe(200)
    expect((await rig.call('POST /run', { body: body(MAX_BODY_BYTES + 1), headers })).status).toBe(422)
    expect((await rig.call('POST /run', { body: [body(MAX_BODY_BYTES + 1)], headers })).status).toBe(422)
    expect((await rig.call('POST /run', { body: { n: 3 } })).status).toBe(200)
    expect(await rig.charges()).toEqual([2, 3])
  })

  it('refuses a body that something has read before and kept to itself', async () => {
    const readers: RequestHandler[] = [
      (req, _res, next) => {
        req.on('end', next).resume()
      },
      (req, _res, next) => {
        void text(req).then(() => next())
      },
      (req, _res, next) => {
        req.resume()
        next()
      },
      (req, _res, next) => {
        req.setEncoding('utf8')
        next()
      },
    ]
    for (const reader of readers) {
      const rig = app({ before: [reader] })
      const reply = await rig.call('POST /run', { body: { n: 1 } })
      expect(reply.status).toBe(422)
      expect(reply.text).toContain('something before billing reads the body')
      expect(rig.ran).toEqual([])
    }
  })

  it('charges nothing for a parser further on that refuses', async () => {
    const rig = app({ after: [express.json({ limit: 100 })] })
    const reply = await rig.call('POST /run', { body: { n: 1, text: 'x'.repeat(200) } })
    expect(reply.status).toBe(413)
    expect(reply.headers['credits-charged']).toBe('0')
    expect(await rig.charges()).toEqual([])
    expect(rig.store.ends).toEqual(['release'])
  })

  it('does not wait for a body whose sender has left', async () => {
    const rig = open({ prices: prices as never })
    const reached = once(rig.app, 'reached')
    const gone = once(rig.app, 'gone')
    rig.app.use((_req, res, next) => {
      rig.app.emit('reached')
      res.on('close', () => rig.app.emit('gone'))
      const end = res.end
      res.end = ((...args: [string]) => {
        rig.ran.push(String(res.statusCode))
        return end.apply(res, args as never)
      }) as typeof end
      next()
    })
    rig.app.use(rig.bill)
    rig.app.post('/run', rig.handler('run'))
    const socket = await rig.raw('POST /run HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"n":')
    await reached
    socket.destroy()
    await gone
    await expect.poll(() => rig.ran).toEqual(['422'])
    expect(await rig.reserved()).toBe(0)
  })

  it('the price sees the query as handlers do, however the app parses it', async () => {
    const seen: unknown[] = []
    const rig = open({ prices: { 'GET /run': { product: 'p', price: ({ query }: { query: unknown }) => { seen.push(query); return 1 } } } as never })
    rig.app.set('query parser', 'extended')
    rig.app.use(rig.bill)
    rig.app.get('/run', (req, res) => { res.json(req.query) })
    const { json } = await rig.call('GET /run?n[0]=1000&m=1&m=2&o[p]=q')
    expect(json).toEqual({ n: ['1000'], m: ['1', '2'], o: { p: 'q' } })
    expect(seen).toEqual([json])
  })
})
