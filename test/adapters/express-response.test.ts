import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import compression from 'compression'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { rigs, versions, type Reply, type Rig } from './express-rig.js'

const METERED = { a: 1, metering: { creditsCharged: 2, estimatedMaxCredits: 3 } }
const METERED_TEXT = '{"a":1,"metering":{"creditsCharged":2,"estimatedMaxCredits":3}}'
const credits = { 'credits-ceiling': '3', 'credits-charged': '2', 'credits-remaining': '998' }

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-'))
  await writeFile(join(folder, 'a.json'), '{"a":1}')
  await writeFile(join(folder, 'a.txt'), 'text')
})
afterAll(() => rm(folder, { recursive: true }))

/** Each way of writing `{"a":1}`. */
const json: Record<string, RequestHandler> = {
  'json': (_req, res) => res.json({ a: 1 }),
  'send object': (_req, res) => res.send({ a: 1 }),
  'send string': (_req, res) => res.type('json').send('{"a":1}'),
  'send Buffer': (_req, res) => res.type('json').send(Buffer.from('{"a":1}')),
  'end': (_req, res) => {
    res.type('json').end('{"a":1}')
  },
  'end with encoding and callback': (_req, res) => {
    res.type('json').end('7b2261223a317d', 'hex', () => {})
  },
  'writeHead and end': (_req, res) => {
    res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"a":1}')
  },
  'writeHead with a length and end': (_req, res) => {
    res.writeHead(200, 'Fine', { 'content-type': 'application/json', 'content-length': '7' })
    res.end(Buffer.from('{"a":1}'))
  },
  'writeHead with an array': (_req, res) => {
    res.writeHead(200, ['Content-Type', 'application/json', 'X-Twice', '1', 'X-Twice', '2']).end('{"a":1}')
  },
  'several writes': (_req, res) => {
    res.setHeader('content-type', 'application/json')
    res.write('{"a"')
    res.write(Buffer.from(':'))
    setImmediate(() => res.end('1}'))
  },
  'writes that wait for their callbacks': (_req, res) => {
    res.setHeader('content-type', 'application/problem+json; charset=utf-8')
    res.write('{"a":', () => res.write('1', 'latin1', () => res.end('}')))
  },
  'flushHeaders and writes': (_req, res) => {
    res.setHeader('content-type', 'application/json')
    res.flushHeaders()
    res.write('{"a":1}')
    res.end()
  },
  'pipe': (_req, res) => {
    Readable.from(['{"a"', ':1}']).pipe(res.type('json'))
  },
  'sendFile': (_req, res) => res.sendFile('a.json', { root: folder }),
}

/** The headers that billing leaves alone. Of names that come twice in an array Node 20 keeps the last, its successors and billing all. */
function comparable({ headers }: Reply): object {
  const changed = new Set(['date', 'etag', 'content-length', 'transfer-encoding', 'x-twice'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !changed.has(name)))
}

describe.each(versions)('%s', (_, express) => {
  const open = rigs(express)

  /** An app with one route whose price is 3, charged 2, with metering; or as `terms` say. */
  function app(handler: RequestHandler, { terms = {}, before = [], between = [], inside = [], free = false }: {
    terms?: object
    before?: RequestHandler[]
    between?: RequestHandler[]
    inside?: RequestHandler[]
    free?: boolean
  } = {}): Rig {
    const rig = open({ prices: { 'GET /run': free ? 'free' : { product: 'p', price: 3, charge: () => 2, metering: true, ...terms } } as never })
    rig.app.use(...before, rig.bill, ...between)
    rig.app.get('/run', ...inside, handler)
    return rig
  }

  /** The same app unbilled. */
  const bare = (handler: RequestHandler) => app(handler, { free: true })

  async function expectCharged(rig: Rig, reply: Reply, charges = [2]) {
    expect(await rig.charges()).toEqual(charges)
    expect(await rig.reserved()).toBe(0)
    expect(rig.store.ends).toEqual(['settle'])
    expect(reply.headers).toMatchObject(credits)
  }

  describe('JSON', () => {
    it.each(Object.entries(json))('%s', async (_, handler) => {
      const rig = app(handler)
      const reply = await rig.call('GET /run')
      expect(reply.text).toBe(METERED_TEXT)
      expect(reply.headers['content-length'] ?? String(METERED_TEXT.length)).toBe(String(METERED_TEXT.length))
      await expectCharged(rig, reply)
      const without = await bare(handler).call('GET /run')
      expect(reply.headers).toMatchObject(comparable(without))
      expect([reply.status, reply.message]).toEqual([without.status, without.message])
      expect(reply.headers['x-twice'] ?? '1, 2').toBe('1, 2')
      expect(Boolean(reply.headers.etag)).toBe(Boolean(without.headers.etag))
    })

    it('with compression around it', async () => {
      for (const where of ['before', 'between', 'inside'] as const) {
        const rig = app((_req, res) => res.json({ a: 1, text: 'x'.repeat(5000) }), { [where]: [compression()] })
        const reply = await rig.call('GET /run', { headers: { 'accept-encoding': 'gzip' } })
        expect(reply.headers['content-encoding']).toBe('gzip')
        const body = JSON.parse(gunzipSync(reply.bytes).toString()) as object
        expect(await rig.charges()).toEqual([2])
        if (where === 'inside') {
          expect(reply.headers).toMatchObject({ 'credits-ceiling': '3' })
          expect(body).not.toHaveProperty('metering')
        } else {
          await expectCharged(rig, reply)
          expect(body).toMatchObject({ metering: METERED.metering })
        }
      }
    })

    it('that was encoded by its handler passes as it is', async () => {
      const { brotliCompressSync } = await import('node:zlib')
      const rig = app((_req, res) => res.set('Content-Encoding', 'br').type('json').send(brotliCompressSync('{"a":1}')))
      const reply = await rig.call('GET /run')
      expect(brotliDecompressSync(reply.bytes).toString()).toBe('{"a":1}')
      await expectCharged(rig, reply)
    })

    it('has the ETag of what is sent, and answers 304 to it', async () => {
      const rig = app((_req, res) => res.json({ a: 1 }), { terms: { metering: false } })
      const tag = (await rig.call('GET /run')).headers.etag!
      const reply = await rig.call('GET /run', { headers: { 'if-none-match': tag } })
      expect(reply.status).toBe(304)
      expect(reply.headers).toMatchObject({ etag: tag, 'credits-charged': '2' })
      expect(await rig.charges()).toEqual([2, 2])
      const metered = await app((_req, res) => res.json({ a: 1 })).call('GET /run')
      expect(metered.headers.etag).toBe((await bare((_req, res) => res.json(METERED)).call('GET /run')).headers.etag)
    })

    it('keeps a tag that its handler gave, as a weak one', async () => {
      const rig = app((_req, res) => res.set('ETag', '"v1"').json({ a: 1 }))
      expect((await rig.call('GET /run')).headers.etag).toBe('W/"v1"')
      const same = app((_req, res) => res.set('ETag', '"v1"').json({ a: 1 }), { terms: { metering: false } })
      expect((await same.call('GET /run')).headers.etag).toBe('"v1"')
    })

    it('in part is not added to', async () => {
      const rig = app((_req, res) => {
        res.status(206).set('Content-Range', 'bytes 0-6/100').json({ a: 1 })
      })
      const reply = await rig.call('GET /run')
      expect(reply.text).toBe('{"a":1}')
      await expectCharged(rig, reply)
    })

    it('that is no UTF-8 stays byte for byte', async () => {
      const bytes = Buffer.from([...Buffer.from('{"a":"'), 0xe4, ...Buffer.from('"}')])
      const rig = app((_req, res) => res.type('json').send(bytes))
      expect((await rig.call('GET /run')).bytes).toEqual(bytes)
    })

    it('says the whole text of large numbers', async () => {
      const rig = app((_req, res) => res.type('json').send('{"n": 12345678901234567890 }'))
      expect((await rig.call('GET /run')).text).toContain('{"n": 12345678901234567890,"metering"')
    })
  })

  describe('jsonp', () => {
    it('has metering inside its callback', async () => {
      const rig = app((_req, res) => res.jsonp({ a: '\u2028' }))
      const reply = await rig.call('GET /run?callback=a.b%5B0%5D')
      expect(reply.text).toBe('/**/ typeof a.b[0] === \'function\' && a.b[0]({"a":"\\u2028","metering":{"creditsCharged":2,"estimatedMaxCredits":3}});')
      expect(reply.headers['content-length']).toBe(String(reply.text.length))
      await expectCharged(rig, reply)
    })

    it('is JSON without a callback, and other scripts stay as they are', async () => {
      expect((await app((_req, res) => res.jsonp({ a: 1 })).call('GET /run')).text).toBe(METERED_TEXT)
      expect((await app((_req, res) => res.type('text/javascript').send('run({"a":1});')).call('GET /run')).text).toBe('run({"a":1});')
    })
  })

  describe('whole responses of other types', () => {
    it.each<[string, RequestHandler, object]>([
      ['end', (_req, res) => {
        res.end('text')
      }, { status: 200, text: 'text' }],
      ['send', (_req, res) => res.send('text'), { status: 200, text: 'text' }],
      ['sendStatus', (_req, res) => res.sendStatus(201), { status: 201, text: 'Created' }],
      ['redirect', (_req, res) => res.redirect('/there'), { status: 302 }],
      ['204', (_req, res) => {
        res.status(204).end()
      }, { status: 204, text: '' }],
      ['204 json', (_req, res) => res.status(204).json({}), { status: 204, text: '' }],
      ['304', (_req, res) => {
        res.status(304).end()
      }, { status: 304, text: '' }],
      ['no body', (_req, res) => {
        res.end()
      }, { status: 200, text: '' }],
      ['writeHead and end', (_req, res) => {
        res.writeHead(202, 'Taken', { 'x-y': ['1', '2'] }).end('text')
      }, { status: 202, message: 'Taken', text: 'text' }],
      ['a reason of its own', (_req, res) => {
        res.statusMessage = 'Very fine'
        res.end('text')
      }, { message: 'Very fine' }],
    ])('%s', async (_, handler, expected) => {
      const rig = app(handler)
      const reply = await rig.call('GET /run')
      expect(reply).toMatchObject(expected)
      await expectCharged(rig, reply)
      expect(reply.headers).toMatchObject(comparable(await bare(handler).call('GET /run')))
    })

    it('HEAD, whose length with metering is not known', async () => {
      const rig = app((_req, res) => res.json({ a: 1 }))
      const reply = await rig.call('HEAD /run')
      expect(reply.text).toBe('')
      expect(reply.headers).not.toHaveProperty('content-length')
      expect(reply.headers).not.toHaveProperty('etag')
      await expectCharged(rig, reply)
      const plain = app((_req, res) => res.send('text'))
      expect((await plain.call('HEAD /run')).headers).toMatchObject({ 'content-length': '4', ...credits })
    })

    it('calls the callback of end', async () => {
      const rig = app((_req, res) => {
        res.end(() => rig.ran.push('ended'))
      })
      await rig.call('GET /run')
      await expect.poll(() => rig.ran).toEqual(['ended'])
    })
  })

  describe('failures', () => {
    it.each([400, 404, 500, 503])('%i costs nothing', async (status) => {
      const rig = app((_req, res) => res.status(status).json({ a: 1 }))
      const reply = await rig.call('GET /run')
      expect(reply.status).toBe(status)
      expect(reply.headers['credits-charged']).toBe('0')
      expect(reply.json).toMatchObject({ metering: { creditsCharged: 0 } })
      expect(rig.store.ends).toEqual(['release'])
    })

    it('a stream of one too', async () => {
      const rig = app((_req, res) => {
        res.status(500)
        Readable.from(['a', 'b']).pipe(res)
      })
      const reply = await rig.call('GET /run')
      expect(reply).toMatchObject({ status: 500, text: 'ab', headers: { 'credits-charged': '0' } })
      expect(rig.store.ends).toEqual(['release'])
    })

    it.each<[string, RequestHandler]>([
      ['throws', () => {
        throw new Error('broken')
      }],
      ['passes an error on', (_req, _res, next) => next(new Error('broken'))],
      ['passes one on later', (_req, _res, next) => {
        setImmediate(() => next(new Error('broken')))
      }],
    ])('a handler that %s costs nothing, whatever an error handler says', async (_, handler) => {
      const rig = app(handler)
      expect((await rig.call('GET /run')).headers).toMatchObject({ 'credits-charged': '0' })
      const kind = app(handler)
      const apology: ErrorRequestHandler = (error: Error, _req, res, _next) => {
        res.json({ sorry: error.message })
      }
      kind.app.use(apology)
      const reply = await kind.call('GET /run')
      expect(reply).toMatchObject({ status: 200, headers: { 'credits-charged': '0' } })
      expect(reply.json).toMatchObject({ sorry: 'broken' })
      expect(await kind.charges()).toEqual([])
      expect(kind.store.ends).toEqual(['release'])
    })

    it('sees a throw in a handler that was added to its route later', async () => {
      const rig = app((_req, res) => res.json({}))
      await rig.call('GET /run')
      const apology: ErrorRequestHandler = (_error, _req, res, _next) => {
        res.json({})
      }
      const router = express.Router()
      const late = router.route('/late').get((_req, _res, next) => next())
      rig.app.use('/r', router)
      rig.app.use(apology)
      const sold = open({ prices: { 'GET /late': { product: 'p', price: 1 } } as never })
      sold.app.use(sold.bill)
      sold.app.use(router)
      sold.app.use(apology)
      await sold.call('GET /late')
      late.get(() => {
        throw new Error('broken')
      })
      await sold.call('GET /late')
      expect(await sold.charges()).toEqual([])
    })

    it('a stack that throws what Node refuses is answered as without billing', async () => {
      for (const handler of [
        (_req, res) => res.status(200).set('Trailer', 'X').json({}),
        (_req, res) => {
          res.writeHead(99)
        },
        (_req, res) => {
          res.statusCode = 1000
          res.end('x')
        },
        (_req, res) => {
          res.write(5 as never)
        },
        (_req, res) => {
          res.type('json').write({} as never)
        },
      ] as RequestHandler[]) {
        const rig = app((req, res, next) => {
          try {
            handler(req, res, next)
          } catch (error) {
            rig.ran.push((error as { code: string }).code)
            res.removeHeader('Trailer')
            res.removeHeader('Content-Length')
            res.status(500).end('caught')
          }
        })
        expect(await rig.call('GET /run')).toMatchObject({ status: 500, text: 'caught', headers: { 'credits-charged': '0' } })
        expect(rig.ran).toEqual([expect.stringMatching(/^ERR_/)])
        expect(rig.store.ends).toEqual(['release'])
      }
    })
  })

  describe('streams', () => {
    it('pass at once, byte for byte, and are settled at their end', async () => {
      let end = () => {}
      const rig = app((_req, res) => {
        res.type('text/event-stream')
        res.flushHeaders()
        res.write('data: 1\n\n')
        end = () => res.end('data: 2\n\n')
      })
      const { response } = await rig.open('GET /run')
      expect(String((await once(response, 'data') as [Buffer])[0])).toBe('data: 1\n\n')
      expect(response.headers).toMatchObject({ 'credits-ceiling': '3' })
      expect(response.headers).not.toHaveProperty('credits-charged')
      expect(rig.store.ends).toEqual([])
      expect(await rig.reserved()).toBe(3)
      end()
      expect(await text(response)).toBe('data: 2\n\n\n\nevent: metering\ndata: {"creditsCharged":2,"estimatedMaxCredits":3}\n\n')
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
    })

    it('that a middleware began before the route was reached are paid, or their handler does not run', async () => {
      const early: RequestHandler = (_req, res, next) => {
        res.type('text/plain').write('head ')
        next()
      }
      let runs = 0
      const handler: RequestHandler = (_req, res) => {
        runs++
        res.end('tail')
      }
      const rig = app(handler, { between: [early] })
      expect((await rig.call('GET /run')).text).toBe('head tail')
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])

      const dear = app(handler, { between: [early], terms: { price: 5_000 } })
      await expect(dear.call('GET /run')).rejects.toThrow(/aborted|hang up|ECONNRESET/)
      expect(runs).toBe(1)
      expect(await dear.charges()).toEqual([])
    })

    it('send their head as soon as it is flushed', async () => {
      let end = () => {}
      const rig = app((_req, res) => {
        res.writeHead(203, 'Partly', { 'Content-Type': 'text/plain' })
        rig.ran.push(String(res.statusCode))
        res.statusCode = 500
        res.flushHeaders()
        end = () => res.end()
      })
      const { response } = await rig.open('GET /run')
      expect([response.statusCode, response.statusMessage, ...rig.ran]).toEqual([203, 'Partly', '203'])
      expect(response.headers).toMatchObject({ 'credits-ceiling': '3', 'content-type': 'text/plain' })
      end()
      await text(response)
      await rig.ended(1)
    })

    it('count by the status that was sent', async () => {
      const rig = app((_req, res) => {
        res.write('some')
        res.statusCode = 500
        res.end()
      })
      expect((await rig.call('GET /run')).status).toBe(200)
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
    })

    it('are settled when something answers past billing', async () => {
      const rig = app((_req, res) => {
        (res.locals['end'] as () => void)()
      }, { before: [(_req, res, next) => {
        res.locals['end'] = res.end.bind(res, 'past')
        next()
      }] })
      expect(await rig.call('GET /run')).toMatchObject({ text: 'past', headers: { 'credits-ceiling': '3' } })
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
    })

    it('keep back-pressure and callbacks', async () => {
      const rig = app((_req, res) => {
        const answers: unknown[] = []
        const fill = () => {
          while (answers.length < 1000) {
            const more = res.write('x'.repeat(10_000))
            answers.push(more)
            if (!more) return
          }
        }
        fill()
        rig.ran.push(String(answers.at(-1)))
        res.once('drain', () => {
          rig.ran.push('drained')
          res.write('last', () => {
            rig.ran.push('called')
            res.end()
          })
        })
      })
      await rig.call('GET /run')
      expect(rig.ran).toEqual(['false', 'drained', 'called'])
      await rig.ended(1)
    })

    it('may have trailers', async () => {
      const rig = app((_req, res) => {
        res.setHeader('Trailer', 'X-Sum')
        res.write('text')
        res.addTrailers({ 'X-Sum': '1' })
        res.end()
      })
      expect(await rig.call('GET /run')).toMatchObject({ text: 'text', trailers: { 'x-sum': '1' } })
      await rig.ended(1)
      const held = app((_req, res) => {
        res.setHeader('Trailer', 'X-Sum')
        res.type('json').write('{"a":')
        res.addTrailers({ 'X-Sum': '1' })
        res.end('1}')
      })
      const reply = await held.call('GET /run')
      expect(reply).toMatchObject({ text: METERED_TEXT, trailers: { 'x-sum': '1' } })
      await expectCharged(held, reply)
    })

    it('follow 1xx responses', async () => {
      const rig = app((_req, res) => {
        res.writeProcessing()
        res.writeEarlyHints({ link: '</a.css>; rel=preload' })
        res.json({ a: 1 })
      })
      const reply = await rig.call('GET /run')
      expect(reply).toMatchObject({ interim: [102, 103], text: METERED_TEXT })
      await expectCharged(rig, reply)
    })

    it('of files', async () => {
      const rig = app((_req, res) => res.sendFile('a.txt', { root: folder }))
      expect(await rig.call('GET /run')).toMatchObject({ text: 'text', headers: { 'credits-ceiling': '3', 'content-length': '4' } })
      await rig.ended(1)
      const missing = app((_req, res) => res.sendFile('none.txt', { root: folder }))
      expect(await missing.call('GET /run')).toMatchObject({ status: 404, headers: { 'credits-charged': '0' } })
      expect(await missing.charges()).toEqual([])
    })

    it('that have been compressed', async () => {
      const rig = app((_req, res) => {
        res.type('text').write('x'.repeat(5000))
        res.end()
      }, { before: [compression()] })
      const reply = await rig.call('GET /run', { headers: { 'accept-encoding': 'gzip' } })
      expect(gunzipSync(reply.bytes)).toHaveLength(5000)
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
    })
  })

  describe('while a response is held', () => {
    /** What a handler sees once it has answered, and the caller gets. */
    async function seen(handler: (res: ServerResponse, note: (what: unknown) => void) => void, free: boolean) {
      const notes: unknown[] = []
      const rig = app((_req, res) => handler(res, (what) => notes.push(what)), { terms: { metering: false, charge: () => 3 }, free })
      const go = rig.store.stop()
      const replying = rig.call('GET /run')
      await vi.waitFor(() => expect(notes.at(-1)).toBe('done'), { interval: 2 })
      go()
      const { status, text, headers } = await replying
      return { notes, status, text, type: headers['content-type'], late: headers['x-late'] }
    }

    const attempt = (note: (what: unknown) => void, what: () => unknown) => {
      try {
        note(what() === undefined ? 'undefined' : 'fine')
      } catch (error) {
        note([(error as { code: string }).code, (error as Error).message])
      }
    }

    it.each<[string, (res: ServerResponse) => void]>([
      ['end', (res) => {
        res.setHeader('content-type', 'application/json')
        res.end('{"a":1}')
      }],
      ['writeHead and end', (res) => {
        res.writeHead(201, { 'content-type': 'application/json' }).end('{"a":1}')
      }],
    ])('%s looks sent, as without billing', async (_, answer) => {
      const handler = (res: ServerResponse, note: (what: unknown) => void) => {
        answer(res)
        note([res.headersSent, res.writableEnded, res.getHeader('content-type')])
        attempt(note, () => res.setHeader('x-late', '1'))
        attempt(note, () => res.appendHeader('x-late', '1'))
        attempt(note, () => res.removeHeader('content-type'))
        attempt(note, () => res.writeHead(500))
        res.statusCode = 500
        note('done')
      }
      expect(await seen(handler, false)).toEqual(await seen(handler, true))
    })

    it('writeHead alone looks sent', async () => {
      const handler = (res: ServerResponse, note: (what: unknown) => void) => {
        res.writeHead(200, { 'content-type': 'text/plain' })
        note([res.headersSent, res.writableEnded])
        attempt(note, () => res.setHeader('x-late', '1'))
        attempt(note, () => res.writeHead(500))
        res.end('x')
        note('done')
      }
      expect(await seen(handler, false)).toEqual(await seen(handler, true))
    })

    it('what is written after the end is dropped, and its callbacks are told', async () => {
      const rig = app((_req, res) => {
        res.json({ a: 1 })
        rig.ran.push(String(res.write('x', (error) => rig.ran.push((error as NodeJS.ErrnoException).code!))))
        res.end('y', (() => rig.ran.push('end')) as () => void)
      })
      expect((await rig.call('GET /run')).text).toBe(METERED_TEXT)
      expect(rig.ran).toEqual(['false', 'ERR_STREAM_WRITE_AFTER_END', 'end'])
    })

    it.each<[string, RequestHandler]>([
      ['a second response', (_req, res) => {
        res.json({ a: 1 })
        res.json({ b: 2 })
      }],
      ['a throw', (_req, res) => {
        res.json({ a: 1 })
        throw new Error('late')
      }],
      ['an error passed on', (_req, res, next) => {
        res.json({ a: 1 })
        next(new Error('late'))
      }],
      ['passing on', (_req, res, next) => {
        res.json({ a: 1 })
        next()
      }],
    ])('goes out before what comes of %s', async (_, handler) => {
      const rig = app(handler)
      rig.app.use((_req, res) => {
        rig.ran.push('passed on')
        res.status(404).json({})
      })
      const note: ErrorRequestHandler = (error: NodeJS.ErrnoException, _req, res, next) => {
        rig.ran.push(error.code ?? error.message, String(res.headersSent))
        next(error)
      }
      rig.app.use(note)
      const go = rig.store.stop()
      const replying = rig.call('GET /run')
      await vi.waitFor(async () => expect(await rig.reserved()).toBe(3))
      await new Promise(setImmediate)
      expect(rig.ran).toEqual([])
      go()
      const reply = await replying
      expect(reply.text).toBe(METERED_TEXT)
      await expectCharged(rig, reply)
      expect(rig.ran.slice(-2)).toEqual([expect.stringMatching(/ERR_HTTP_HEADERS_SENT|late/), 'true'])
    })
  })

  describe('a caller that leaves', () => {
    /** Calls, leaves when the handler says so, and tells the handler when the response has closed. */
    async function leave(handler: (res: ServerResponse, reached: () => void, gone: Promise<unknown>) => void): Promise<Rig> {
      let reached = () => {}
      const running = new Promise<void>((resolve) => {
        reached = resolve
      })
      const rig = app((_req, res) => handler(res, reached, once(res, 'close')))
      const socket = await rig.raw('GET /run HTTP/1.1\r\nHost: x\r\n\r\n')
      await running
      socket.destroy()
      await rig.ended(1)
      expect(await rig.reserved()).toBe(0)
      return rig
    }

    it('before its handler is done: its outcome counts', async () => {
      const done = await leave((res, reached, gone) => {
        reached()
        void gone.then(() => res.setHeader('content-type', 'application/json').end('{"a":1}'))
      })
      expect(await done.charges()).toEqual([2])
      const failed = await leave((res, reached, gone) => {
        reached()
        void gone.then(() => {
          res.statusCode = 500
          res.end()
        })
      })
      expect(await failed.charges()).toEqual([])
    })

    it('in the middle of a stream: it is settled there, once', async () => {
      const rig = await leave((res, reached, gone) => {
        res.write('some')
        reached()
        void gone.then(() => res.end('more'))
      })
      expect(rig.store.ends).toEqual(['settle'])
    })

    it('in the middle of a JSON pipe', async () => {
      const rig = await leave((res, reached) => {
        res.setHeader('content-type', 'application/json')
        const source = new Readable({ read() {} })
        source.push('{"a":')
        source.once('resume', () => setImmediate(reached))
        source.pipe(res)
      })
      expect(rig.store.ends).toEqual(['settle'])
    })

    it('while its response is being settled', async () => {
      const rig = app((_req, res) => res.json({ a: 1 }))
      const go = rig.store.stop()
      const socket = await rig.raw('GET /run HTTP/1.1\r\nHost: x\r\n\r\n')
      await vi.waitFor(async () => expect(await rig.reserved()).toBe(3))
      socket.destroy()
      await once(socket, 'close')
      go()
      await rig.ended(1)
      expect(await rig.charges()).toEqual([2])
      expect(rig.errors).toEqual([])
    })
  })

  it('refusals are whole, and leave no reservation', async () => {
    const rig = app((_req, res) => res.json({}), { terms: { price: 5000 } })
    const reply = await rig.call('GET /run')
    expect(reply).toMatchObject({ status: 402, headers: { 'content-type': 'application/json', 'content-length': String(reply.text.length) } })
    expect(reply.json).toMatchObject({ error: { code: 'PAYMENT_REQUIRED', message: 'insufficient credits' } })
    const problem = await rig.call('GET /run', { headers: { accept: 'application/problem+json' } })
    expect(problem.headers['content-type']).toBe('application/problem+json')
    expect(await rig.call('HEAD /run')).toMatchObject({ status: 402, text: '' })
  })

  it('serves its endpoints before the app does', async () => {
    const rig = app((_req, res) => res.json({}))
    rig.app.use((_req, res) => {
      res.end('app')
    })
    await rig.call('GET /run')
    expect((await rig.call('GET /v1/credits/balance')).json).toEqual({ balance: 998, reserved: 0, available: 998 })
    expect((await rig.call('POST /v1/credits/projections/usage-summary')).json).toMatchObject({ total_calls: 1, total_credits: 2 })
    expect((await rig.call('POST /v1/credits/balance')).text).toBe('app')
  })

  it('passes a fault of the account option on as an error', async () => {
    const rig = open({ account: () => {
      throw new Error('no directory')
    }, prices: { 'GET /run': { product: 'p', price: 1 } } as never })
    rig.app.use(rig.bill)
    rig.app.get('/run', rig.handler('run'))
    expect((await rig.call('GET /run')).status).toBe(500)
    expect((await rig.call('GET /v1/credits/balance')).status).toBe(500)
    expect(rig.ran).toEqual([])
  })

  it('tops up and closes', async () => {
    const rig = open()
    expect(await rig.bill.grant('ada', 5, { id: '1', reason: 'top-up' })).toMatchObject({ kind: 'granted', balance: 5 })
    await rig.bill.close()
  })
})
