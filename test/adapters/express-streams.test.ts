import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { metered, tokenUsage } from '@farebox/core'
import { meter } from '@farebox/core/meter'
import compression from 'compression'
import type { RequestHandler } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { rigs, versions, type Rig } from './express-rig.js'

const MiB = 1_048_576
const TAIL = '\n\nevent: metering\ndata: {"creditsCharged":2,"estimatedMaxCredits":3}\n\n'
const te = { te: 'trailers' }

describe.each(versions)('%s', (_, express) => {
  const open = rigs(express)

  /** An app with one route whose price is 3, charged 2; or as `terms` say. */
  function app(handler: RequestHandler, { terms = {}, before = [], inside = [] }: { terms?: object; before?: RequestHandler[]; inside?: RequestHandler[] } = {}): Rig {
    const rig = open({ prices: { 'GET /run': { product: 'p', price: 3, charge: () => 2, ...terms } } as never })
    rig.app.use(...before, rig.bill)
    rig.app.get('/run', ...inside, handler)
    return rig
  }

  const events = (res: ServerResponse) => res.setHeader('Content-Type', 'text/event-stream') as typeof res

  describe('the end of a stream', () => {
    it('waits until it is settled, and nothing else does', async () => {
      const rig = app((_req, res) => {
        res.write('some ')
        res.end('more', () => rig.ran.push('ended'))
        rig.ran.push(String(res.writableEnded), String(res.headersSent))
        rig.ran.push(String(res.write('x', (error) => rig.ran.push((error as NodeJS.ErrnoException).code!))))
        res.end('y')
      })
      const go = rig.store.stop()
      const { response } = await rig.open('GET /run')
      expect(String((await once(response, 'data') as [Buffer])[0])).toBe('some ')
      const rest = text(response)
      await new Promise(setImmediate)
      expect(rig.ran).toEqual(['true', 'true', 'false', 'ERR_STREAM_WRITE_AFTER_END'])
      expect(await rig.charges()).toEqual([])
      expect(response.complete).toBe(false)
      go()
      expect(await rest).toBe('more')
      expect(await rig.charges()).toEqual([2])
      await expect.poll(() => rig.ran.at(-1)).toBe('ended')
    })

    it('waits also where a middleware began it, and before what its handler passes on', async () => {
      const rig = app((_req, res, next) => {
        res.write('a')
        res.end('b')
        next()
      })
      rig.app.use(() => rig.ran.push('next'))
      const go = rig.store.stop()
      const { response } = await rig.open('GET /run')
      const all = text(response)
      await new Promise(setImmediate)
      expect(rig.ran).toEqual([])
      go()
      expect(await all).toBe('ab')
      await expect.poll(() => rig.ran).toEqual(['next'])
    })

    it('that is taken past billing is one all the same', async () => {
      const keep: RequestHandler = (_req, res, next) => {
        const { write, end } = res
        res.locals = { write: write.bind(res), end: end.bind(res) }
        next()
      }
      const rig = app((_req, res) => {
        (res.locals['write'] as (text: string) => void)('past')
        setImmediate(res.locals['end'] as () => void)
      }, { before: [keep], terms: { onAbort: 'release' } })
      expect((await rig.call('GET /run')).text).toBe('past')
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
    })
  })

  it('a slow reader slows its producer down', async () => {
    const size = 48
    for (const send of [(source, res) => source.pipe(res), (source, res) => void writeAll(source, res)] as ((source: Readable, res: ServerResponse) => unknown)[]) {
      let drawn = 0
      async function* source() {
        for (; drawn < size; drawn++) yield Buffer.alloc(MiB, 97)
      }
      const rig = app((_req, res) => {
        send(Readable.from(source()), res)
      }, { terms: tokenUsage({ rates: { input: 1, output: 1 }, ceiling: () => ({ input: 1, output: 1 }) }) })
      const { response } = await rig.open('GET /run')
      await still(() => drawn)
      expect(drawn).toBeLessThan(size / 2)
      let read = 0
      for await (const chunk of response) read += (chunk as Buffer).length
      expect(read).toBe(size * MiB)
    }
  })

  describe('trailers', () => {
    const streaming = (change = (_res: ServerResponse) => {}): RequestHandler => (_req, res) => {
      change(res)
      res.write('data: 1\n\n')
      setImmediate(() => res.end('data: 2\n\n'))
    }
    const taken = { trailers: { 'credits-charged': '2' }, headers: { 'trailer': 'Credits-Charged', 'transfer-encoding': 'chunked' } }

    it('tell the charge to a client that takes them', async () => {
      expect(await app(streaming()).call('GET /run', { headers: te })).toMatchObject(taken)
      expect(await app(streaming((res) => res.setHeader('Transfer-Encoding', 'chunked'))).call('GET /run', { headers: te })).toMatchObject(taken)
      expect(await app(streaming(), { before: [compression()] }).call('GET /run', { headers: { ...te, 'accept-encoding': 'gzip' } })).toMatchObject(taken)
      expect((await app(streaming()).call('GET /run')).trailers).toEqual({})
    })

    it('come with the handler\'s own', async () => {
      for (const own of [{ 'X-Sum': '1' }, [['X-Sum', '1']] as never]) {
        const rig = app(streaming((res) => {
          res.setHeader('Trailer', 'X-Sum')
          res.addTrailers(own)
        }))
        expect(await rig.call('GET /run', { headers: te })).toMatchObject({ headers: { trailer: 'X-Sum, Credits-Charged' }, trailers: { 'x-sum': '1', 'credits-charged': '2' } })
      }
    })

    it.each<[string, string, (res: ServerResponse) => void]>([
      ['with a length', 'GET', (res) => res.setHeader('Content-Length', '18')],
      ['without a body', 'HEAD', () => {}],
      ['that may have none', 'GET', (res) => {
        res.statusCode = 204
      }],
      ['that ends with its connection', 'GET', (res) => res.removeHeader('Transfer-Encoding')],
    ])('are none in a response %s', async (_, method, change) => {
      const rig = app(streaming(change))
      const reply = await rig.call(`${method} /run`, { headers: te })
      expect(reply.headers).not.toHaveProperty('trailer')
      expect(reply.trailers).toEqual({})
      await rig.ended(1)
      expect(rig.store.ends).toEqual(['settle'])
    })

    it('do not stand in the way of what answers a status that Node refuses', async () => {
      const rig = app((_req, res) => {
        res.statusCode = 1000
        res.write('x')
      })
      expect((await rig.call('GET /run', { headers: te })).status).toBe(500)
      await rig.ended(1)
      expect(rig.store.ends).toEqual(['release'])
    })

    it('are none over HTTP/1.0', async () => {
      const rig = app(streaming())
      const socket = await rig.raw('GET /run HTTP/1.0\r\nTE: trailers\r\n\r\n')
      const reply = await text(socket)
      expect(reply).toMatch(/data: 2\n\n$/)
      expect(reply).not.toMatch(/trailer|charged/i)
    })
  })

  describe('a metering event', () => {
    const handler: RequestHandler = (_req, res) => {
      events(res).write('data: 1\n\n')
      setImmediate(() => res.end('data: 2\n\n'))
    }

    it('is the last of server-sent events', async () => {
      const rig = app(handler, { terms: { metering: true } })
      expect((await rig.call('GET /run')).text).toBe(`data: 1\n\ndata: 2\n\n${TAIL}`)
      const ended = app((_req, res) => {
        events(res).write('data: 1\n\n')
        setImmediate(() => res.end())
      }, { terms: { metering: true } })
      expect((await ended.call('GET /run', { headers: te })).text).toBe(`data: 1\n\n${TAIL}`)
    })

    it('is compressed with the others, where billing sees them before', async () => {
      const encoded = { headers: { 'accept-encoding': 'gzip' } }
      const always = compression({ threshold: 0, filter: () => true })
      const rig = app(handler, { terms: { metering: true }, before: [always] })
      const reply = await rig.call('GET /run', encoded)
      expect(reply.headers['content-encoding']).toBe('gzip')
      expect(gunzipSync(reply.bytes).toString()).toBe(`data: 1\n\ndata: 2\n\n${TAIL}`)
      const behind = app(handler, { terms: { metering: true }, inside: [always] })
      expect(gunzipSync((await behind.call('GET /run', encoded)).bytes).toString()).toBe('data: 1\n\ndata: 2\n\n')
      expect(await behind.charges()).toEqual([2])
    })

    it('does not exceed a length that was told', async () => {
      const rig = app((_req, res) => {
        events(res).setHeader('Content-Length', '9')
        res.write('data: ')
        res.end('1\n\n')
      }, { terms: { metering: true } })
      expect((await rig.call('GET /run')).text).toBe('data: 1\n\n')
      expect(await rig.charges()).toEqual([2])
    })
  })

  it('tokens are read from text in any encoding, and from bytes', async () => {
    const usage = '{"prompt_tokens":2,"completion_tokens":'
    const rig = app((_req, res) => {
      events(res).write('ZGF0YTogeyJ1c2FnZSI6', 'base64')
      res.write(Buffer.from(usage))
      res.end(Buffer.from('1}}\n\n').toString('hex'), 'hex')
    }, { terms: { ...tokenUsage({ rates: { input: 0.5, output: 0.25 }, ceiling: () => ({ input: 4, output: 4 }) }) } })
    expect((await rig.call('GET /run')).text).toBe(`data: {"usage":${usage}1}}\n\n`)
    expect([await rig.charges(), rig.errors]).toEqual([[1.25], []])
  })

  it('what is counted below a handler is its own call\'s', async () => {
    const terms = metered({ rates: { page: 0.5 }, ceiling: () => ({ page: 6 }), used: ({ counts }) => ({ page: counts['page'] ?? 0 }) })
    const rig = open({ prices: { 'GET /run/:pages': { product: 'p', ...terms } } as never })
    rig.app.use(rig.bill)
    rig.app.get('/run/:pages', (req, res) => {
      let left = Number(req.params['pages'])
      const step = () => {
        if (left-- === 0) return res.end()
        meter.count('page')
        return res.write('page', () => setImmediate(step))
      }
      step()
    })
    await Promise.all([1, 2, 3, 4, 5].map((pages) => rig.call(`GET /run/${pages}`, { headers: { 'x-account': String(pages) } })))
    for (const pages of [1, 2, 3, 4, 5]) expect(await rig.charges(String(pages))).toEqual([pages / 2])
  })

  describe('operations', () => {
    it('are begun by a 202 and read by their ids, whatever those look like', async () => {
      const id = 'a/b c%é'
      const rig = open({ prices: { 'POST /run': { product: 'p', price: 3, operation: ({ response }: { response: { body: { id: string } } }) => response.body.id } } as never })
      rig.app.use(rig.bill)
      rig.app.post('/run', (_req, res) => {
        res.status(202).json({ id })
      })
      const begun = await rig.call('POST /run')
      expect(begun.status).toBe(202)
      expect(begun.headers).not.toHaveProperty('credits-charged')
      expect(await rig.reserved()).toBe(3)
      const path = `/v1/operations/${encodeURIComponent(id)}`
      expect((await rig.call(`GET ${path}`)).json).toMatchObject({ operationId: id, status: 'pending' })
      const head = await rig.call(`HEAD ${path}`)
      expect([head.status, head.text, Number(head.headers['content-length']) > 0]).toEqual([200, '', true])
      await rig.bill.operations.succeed(id, { charge: 2 })
      expect((await rig.call(`GET ${path}`)).json).toMatchObject({ status: 'succeeded', metering: { creditsCharged: 2 } })
      expect((await rig.call('GET /v1/operations/none')).status).toBe(404)
    })
  })

  describe('Idempotency-Key', () => {
    const key = { 'idempotency-key': 'k' }
    const comparable = ({ headers }: { headers: object }) => Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'date' && name !== 'idempotent-replayed'))

    it.each<[string, RequestHandler, object?]>([
      ['JSON', (_req, res) => res.json({ a: 1 })],
      ['JSON that was piped', (_req, res) => {
        Readable.from(['{"a"', ':1}']).pipe(res.type('json'))
      }],
      ['a tag of its own', (_req, res) => res.set('ETag', '"v1"').json({ a: 1 })],
      ['JSON without metering', (_req, res) => res.json([1]), { metering: false }],
      ['bytes', (_req, res) => res.type('png').send(Buffer.from([137, 80, 255, 0, 254]))],
      ['text', (_req, res) => res.set('X-List', ['1', '2'] as never).send('é')],
      ['a redirect', (_req, res) => res.redirect('/there')],
      ['no body', (_req, res) => {
        res.status(204).end()
      }],
      ['an empty body', (_req, res) => {
        res.end()
      }],
    ])('again gets the same response: %s', async (_, handler, terms = {}) => {
      let requests = 0
      const early: RequestHandler = (_req, res, next) => {
        res.set('X-Early', String(++requests))
        next()
      }
      const ran = vi.fn(handler)
      const rig = app(ran as RequestHandler, { terms: { metering: true, ...terms }, before: [early] })
      const first = await rig.call('GET /run', { headers: key })
      const again = await rig.call('GET /run', { headers: key })
      expect(again.headers['idempotent-replayed']).toBe('true')
      expect([again.status, again.bytes]).toEqual([first.status, first.bytes])
      expect(comparable(again)).toEqual(comparable(first))
      expect(ran).toHaveBeenCalledOnce()
      expect(await rig.charges()).toEqual([2])
    })

    it('over HEAD gets what a GET was told without its body, and keeps none of its own', async () => {
      const handler: RequestHandler = (_req, res) => res.type('text').send('text')
      const rig = app(handler)
      await rig.call('GET /run', { headers: key })
      const { status, text: body, headers } = await rig.call('HEAD /run', { headers: key })
      expect([status, body, headers['idempotent-replayed'], headers['content-length']]).toEqual([200, '', 'true', '4'])
      const first = app(handler)
      await first.call('HEAD /run', { headers: key })
      expect((await first.call('GET /run', { headers: key })).status).toBe(409)
      expect([await rig.charges(), await first.charges()]).toEqual([[2], [2]])
    })

    it('of a stream is not run again', async () => {
      const rig = app((_req, res) => {
        rig.ran.push('run')
        res.write('a')
        res.end()
      })
      await rig.call('GET /run', { headers: key })
      const again = await rig.call('GET /run', { headers: key })
      expect([again.status, again.json]).toMatchObject([409, { error: { code: 'IDEMPOTENCY_RESULT_UNAVAILABLE' } }])
      expect([rig.ran, await rig.charges()]).toEqual([['run'], [2]])
    })
  })
})

async function writeAll(source: Readable, res: ServerResponse): Promise<void> {
  for await (const chunk of source) {
    if (!res.write(chunk)) await once(res, 'drain')
  }
  res.end()
}

/** Resolves when a number has stayed what it is for a while. */
async function still(read: () => number): Promise<void> {
  for (let before = NaN; before !== read();) {
    before = read()
    await new Promise((resolve) => { setTimeout(resolve, 50) })
  }
}
