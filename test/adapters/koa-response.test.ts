import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import etag from '@koa/etag'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import compress from 'koa-compress'
import conditional from 'koa-conditional-get'
import { describe, expect, it } from 'vitest'
import { rigs, versions, type Reply, type Rig } from './koa-rig.js'

const here = new URL(import.meta.url)

/** Bodies by the name of their form, written as a handler would. */
const forms: Readonly<Record<string, Middleware>> = {
  'an object': (ctx) => { ctx.body = { text: 'zwölf €', big: [1, { a: '}' }] } },
  'an array': (ctx) => { ctx.body = [1, 2] },
  'a number': (ctx) => { ctx.body = 12 },
  'false': (ctx) => { ctx.body = false },
  'an object with toJSON': (ctx) => { ctx.body = { toJSON: () => ({ at: new Date(0) }) } },
  'a string': (ctx) => { ctx.body = 'zwölf €' },
  'a string of HTML': (ctx) => { ctx.body = '<p>zwölf</p>' },
  'a string of JSON': (ctx) => { ctx.type = 'json'; ctx.body = '{ "long": 12345678901234567890 }' },
  'an empty string': (ctx) => { ctx.body = '' },
  'a Buffer': (ctx) => { ctx.body = Buffer.from([1, 2, 255]) },
  'a Buffer of JSON': (ctx) => { ctx.type = 'application/json'; ctx.body = Buffer.from('{"text":"zwölf"}') },
  'null': (ctx) => { ctx.body = null },
  'null with a status': (ctx) => { ctx.status = 200; ctx.body = null },
  'a status alone': (ctx) => { ctx.status = 201 },
  'a status without a body': (ctx) => { ctx.body = 'x'; ctx.status = 204 },
  'a redirect': (ctx) => { ctx.redirect('/elsewhere') },
  'nothing': () => {},
  'a failure': (ctx) => { ctx.status = 503; ctx.body = { error: 'no' } },
  'a failure that streams': (ctx) => { ctx.status = 500; ctx.body = Readable.from([Buffer.from('no')]) },
  'a stream': (ctx) => { ctx.type = 'text/plain'; ctx.body = Readable.from([Buffer.from('a'), Buffer.from('b')]) },
  'a stream with a length': (ctx) => { ctx.length = 2; ctx.body = Readable.from([Buffer.from('a'), Buffer.from('b')]) },
  'an empty stream': (ctx) => { ctx.body = Readable.from([]) },
  'a stream without content': (ctx) => { ctx.body = Readable.from([Buffer.from('a')]); ctx.status = 304 },
  'a file': (ctx) => { ctx.type = 'text'; ctx.body = createReadStream(here) },
  'a JSON stream with a type of its own': (ctx) => { ctx.status = 201; ctx.type = 'application/vnd.api+json'; ctx.length = 15; ctx.body = Readable.from([Buffer.from('{"te'), Buffer.from('xt":"zwö"}')]) },
  'an object with a type of its own': (ctx) => { ctx.body = { a: 1 }; ctx.type = 'application/vnd.api+json; charset=utf-8' },
  'an object as text': (ctx) => { ctx.body = { a: 1 }; ctx.type = 'text/plain' },
  'an object without a type': (ctx) => { ctx.body = { a: 1 }; ctx.remove('Content-Type') },
  'a status that Koa was not told of': (ctx) => { ctx.body = { a: 1 }; ctx.res.statusCode = 207; ctx.message = 'Some' },
  'a JSON stream with a status that Koa was not told of': (ctx) => { ctx.type = 'json'; ctx.body = Readable.from([Buffer.from('{"a":1}')]); ctx.res.statusCode = 207; ctx.message = 'Some' },
  'flushed headers': (ctx) => { ctx.type = 'json'; ctx.status = 200; ctx.flushHeaders(); ctx.body = '{"a":1}' },
  'an encoded Buffer': (ctx) => { ctx.type = 'json'; ctx.set('Content-Encoding', 'x-own'); ctx.body = Buffer.from('{"a":1}') },
  'what has no JSON': (ctx) => { ctx.body = { big: 1n } },
  'a function': (ctx) => { ctx.body = () => {} },
}

const webForms: Readonly<Record<string, Middleware>> = {
  'a ReadableStream': (ctx) => { ctx.body = new Blob(['zwölf']).stream() },
  'a ReadableStream of JSON': (ctx) => { ctx.type = 'json'; ctx.body = new Blob(['{"a":1}']).stream() },
  'a Blob': (ctx) => { ctx.body = new Blob(['zwölf'], { type: 'text/x-own' }) },
  'a Blob of JSON': (ctx) => { ctx.body = new Blob(['{"a":1}'], { type: 'application/json' }) },
  'a Response': (ctx) => { ctx.body = new Response('zwölf', { status: 202, headers: { 'x-own': '1', 'content-type': 'text/plain' } }) },
  'a Response of JSON': (ctx) => { ctx.type = 'application/json'; ctx.body = new Response('{"a":1}', { status: 202, headers: { 'content-type': 'application/json' } }) },
  'a Response without a body': (ctx) => { ctx.body = new Response(null, { status: 201, headers: { 'content-type': 'application/json' } }) },
}

const isCredits = (name: string) => name.startsWith('credits-')
const without = ({ headers }: Reply) => Object.fromEntries(Object.entries(headers).filter(([name]) => !isCredits(name) && name !== 'date' && name !== 'connection' && name !== 'keep-alive'))

describe.each(versions)('%s', (version, Koa) => {
  const open = rigs(Koa)

  /** An app that sells `/run` for 5 credits, with middleware around billing and inside of it. */
  function sold(handler: Middleware, { outside = [], inside = [], terms = {} }: { outside?: readonly Middleware[]; inside?: readonly Middleware[]; terms?: object } = {}): Rig {
    const rig = open({ prices: { 'POST /run': { product: 'p', price: 5, ...terms }, 'GET /run': { product: 'p', price: 5, ...terms } } })
    outside.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(rig.bill)
    inside.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(new Router().post('/run', handler as never).get('/run', handler as never).routes())
    return rig
  }

  /** The same app without billing. */
  function bare(handler: Middleware, around: readonly Middleware[] = []): Rig {
    const rig = open()
    around.forEach((middleware) => rig.app.use(middleware))
    rig.app.use(new Router().post('/run', handler as never).get('/run', handler as never).routes())
    return rig
  }

  describe.each(Object.entries({ ...forms, ...(version === 'koa 3' && webForms) }))('%s', (form, handler) => {
    it.each(['POST', 'GET', 'HEAD'])('leaves as without billing, but for the credits: %s', async (method) => {
      const rig = sold(handler)
      const [reply, same] = [await rig.call(method, '/run'), await bare(handler).call(method, '/run')]
      expect({ status: reply.status, text: reply.text }).toEqual({ status: same.status, text: same.text })
      // What was a stream of JSON has a length now that all of it was waited for.
      expect({ ...without(reply), 'transfer-encoding': '', 'content-length': '' }).toEqual({ ...without(same), 'transfer-encoding': '', 'content-length': '' })
      // Nor is the length that Koa says to HEAD for a ReadableStream: that of '{}'.
      if (same.headers['content-length'] && !(method === 'HEAD' && form in webForms)) expect(reply.headers['content-length']).toBe(same.headers['content-length'])
      const failed = same.status >= 400
      expect(await rig.charges()).toEqual(failed ? [] : [5])
      const { 'credits-charged': charged, 'credits-ceiling': ceiling } = reply.headers
      if (ceiling !== undefined) expect({ charged, ceiling }).toEqual({ charged: charged && (failed ? '0' : '5'), ceiling: '5' })
      expect(rig.store.ends).toBe(1)
    })

    it('carries metering where it is a JSON object, and says what was charged', async () => {
      const rig = sold(handler, { terms: { metering: true, charge: () => 3 } })
      const [reply, same] = [await rig.call('POST', '/run'), await bare(handler).call('POST', '/run')]
      const charges = await rig.charges()
      expect(charges).toEqual(same.status < 400 ? [3] : [])
      if (reply.text !== same.text) {
        const { metering, ...rest } = JSON.parse(reply.text) as { metering: unknown }
        expect(metering).toEqual({ creditsCharged: charges[0] ?? 0, estimatedMaxCredits: 5 })
        expect(rest).toEqual(JSON.parse(same.text))
        expect(reply.text.startsWith(same.text.trimEnd().slice(0, -1).trimEnd())).toBe(true)
        expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(reply.text)))
      }
      expect({ status: reply.status, type: reply.headers['content-type'] }).toEqual({ status: same.status, type: same.headers['content-type'] })
      const head = await rig.call('HEAD', '/run')
      if (reply.text !== same.text) expect(head.headers['content-length']).toBe(reply.headers['content-length'])
    })
  })

  it('puts metering into every form of a JSON object', async () => {
    const metered = async (form: string) => (await sold({ ...forms, ...webForms }[form]!, { terms: { metering: true } }).call('POST', '/run')).text
    for (const form of ['an object', 'an object with toJSON', 'a string of JSON', 'a Buffer of JSON', 'a JSON stream with a type of its own', 'an object with a type of its own', 'a failure']) {
      expect(await metered(form), form).toContain('"metering":{')
    }
    if (version === 'koa 3') for (const form of ['a ReadableStream of JSON', 'a Blob of JSON', 'a Response of JSON']) expect(await metered(form), form).toContain('"metering":{')
    expect(await metered('a string of JSON')).toBe('{ "long": 12345678901234567890,"metering":{"creditsCharged":5,"estimatedMaxCredits":5}}')
  })

  it.each(['an encoded Buffer', 'an object as text', 'an array', 'a number'])('leaves %s as it is', async (form) => {
    expect((await sold(forms[form]!, { terms: { metering: form !== 'an object as text' } }).call('POST', '/run')).text).toBe((await bare(forms[form]!).call('POST', '/run')).text)
  })

  it('charges by what the body says', async () => {
    const terms = { charge: ({ response }: { response: { status: number; body: { used: number } } }) => response.body.used + (response.status === 201 ? 0 : 1) }
    for (const handler of [
      (ctx: Context) => { ctx.status = 201; ctx.body = { used: 2 } },
      (ctx: Context) => { ctx.status = 201; ctx.type = 'json'; ctx.body = Readable.from([Buffer.from('{"used"'), Buffer.from(':2}')]) },
    ]) {
      const rig = sold(handler as Middleware, { terms })
      expect((await rig.call('POST', '/run')).headers).toMatchObject({ 'credits-charged': '2', 'credits-remaining': '99998' })
      expect(await rig.charges()).toEqual([2])
    }
  })

  it('middleware outside of billing finds the body in the form that the handler gave it', async () => {
    const seen: unknown[] = []
    const look: Middleware = async (ctx, next) => {
      await next()
      seen.push(ctx.body)
      if (!Buffer.isBuffer(ctx.body) && typeof ctx.body === 'object') ctx.body = { data: ctx.body as object }
    }
    const rig = sold(forms['an object']!, { outside: [look], terms: { metering: true } })
    expect(JSON.parse((await rig.call('POST', '/run')).text)).toMatchObject({ data: { text: 'zwölf €', metering: { creditsCharged: 5 } } })
    await sold(forms['a Buffer of JSON']!, { outside: [look], terms: { metering: true } }).call('POST', '/run')
    expect(seen).toEqual([{ text: 'zwölf €', big: [1, { a: '}' }], metering: { creditsCharged: 5, estimatedMaxCredits: 5 } }, expect.any(Buffer)])
  })

  it('settles what middleware inside of it made of the response', async () => {
    const replaced: Middleware = async (ctx, next) => {
      await next()
      ctx.status = 500
      ctx.body = { replaced: true }
    }
    const rig = sold(forms['an object']!, { inside: [replaced], terms: { metering: true } })
    expect((await rig.call('POST', '/run')).text).toBe('{"replaced":true,"metering":{"creditsCharged":0,"estimatedMaxCredits":5}}')
    expect(await rig.charges()).toEqual([])
  })

  describe('ETag and conditional requests', () => {
    const handler: Middleware = (ctx) => { ctx.body = { fixed: true } }

    it.each(['outside', 'inside'])('%s of billing', async (where) => {
      const rig = sold(handler, { [where]: [conditional(), etag()], terms: { metering: true } })
      const first = await rig.call('GET', '/run')
      expect(first.text).toContain('"metering"')
      expect(first.headers['content-length']).toBe(String(Buffer.byteLength(first.text)))
      expect(first.headers.etag).toMatch(where === 'inside' ? /^W\/"/ : /^"/)
      const again = await rig.call('GET', '/run', { headers: { 'if-none-match': first.headers.etag! } })
      expect({ status: again.status, text: again.text, charged: again.headers['credits-charged'] }).toEqual({ status: 304, text: '', charged: '5' })
      expect(await rig.charges()).toEqual([5, 5])
    })

    it('a file keeps what an ETag is made of', async () => {
      const reply = await sold(forms['a file']!, { outside: [conditional(), etag()] }).call('GET', '/run')
      expect(reply.headers.etag).toBe((await bare(forms['a file']!, [conditional(), etag()]).call('GET', '/run')).headers.etag)
      expect(reply.headers.etag).toBeDefined()
    })

    it('an ETag stays as it is where the body does', async () => {
      expect((await sold(handler, { inside: [etag()] }).call('GET', '/run')).headers.etag).toMatch(/^"/)
    })
  })

  describe('compression', () => {
    const large: Middleware = (ctx) => { ctx.body = { text: 'zwölf '.repeat(1_000) } }
    const accept = { headers: { 'accept-encoding': 'gzip' } }

    it('outside of billing: metering goes with it', async () => {
      const rig = sold(large, { outside: [compress()], terms: { metering: true } })
      const { res } = await rig.open('GET', '/run', accept)
      expect(res.headers).toMatchObject({ 'content-encoding': 'gzip', 'credits-charged': '5' })
      expect(JSON.parse(gunzipSync(await buffer(res)).toString())).toMatchObject({ metering: { creditsCharged: 5 } })
      expect(await rig.charges()).toEqual([5])
    })

    it('inside of billing: passes through and is settled', async () => {
      const rig = sold(large, { inside: [compress()], terms: { metering: true } })
      const { res } = await rig.open('GET', '/run', accept)
      expect(res.headers).toMatchObject({ 'content-encoding': 'gzip', 'credits-ceiling': '5' })
      expect(JSON.parse(gunzipSync(await buffer(res)).toString())).toEqual({ text: 'zwölf '.repeat(1_000) })
      expect(await rig.charges()).toEqual([5])
      const small = sold(forms['an object']!, { inside: [compress()], terms: { metering: true } })
      expect((await small.call('GET', '/run', accept)).text).toContain('"metering"')
    })

    it('of a stream, outside of billing: no byte is waited for', async () => {
      const source = new PassThrough()
      const rig = sold((ctx) => { ctx.type = 'text'; ctx.body = source }, { outside: [compress({ threshold: 0 })] })
      source.end('done')
      const { res } = await rig.open('GET', '/run', accept)
      expect(gunzipSync(await buffer(res)).toString()).toBe('done')
      expect(await rig.charges()).toEqual([5])
    })
  })

  describe('streams', () => {
    it('pass through at once and are settled before their end leaves', async () => {
      const source = new PassThrough()
      const rig = sold((ctx) => { ctx.type = 'text/event-stream'; ctx.body = source }, { terms: { metering: true } })
      source.write('data: 1\n\n')
      const { res } = await rig.open('POST', '/run')
      expect(res.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'credits-ceiling': '5' })
      expect(res.headers).not.toHaveProperty('credits-charged')
      expect(String((await once(res, 'data'))[0])).toBe('data: 1\n\n')
      expect(rig.store.ends).toBe(0)
      source.write('data: 2\n\n')
      expect(String((await once(res, 'data'))[0])).toBe('data: 2\n\n')
      source.end()
      await once(res, 'end')
      expect(rig.store.ends).toBe(1)
      expect(await rig.charges()).toEqual([5])
    })

    it('an error in one that has begun costs nothing', async () => {
      const source = new PassThrough()
      const rig = sold((ctx) => { ctx.type = 'text'; ctx.body = source })
      source.write('a')
      const { res } = await rig.open('POST', '/run')
      res.on('error', () => {})
      await once(res, 'data')
      source.destroy(new Error('the model failed'))
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([])
      expect(rig.thrown.map(String)).toContain('Error: the model failed')
      expect(rig.store.ends).toBe(1)
    })

    it.each(['text', 'json'])('an error in one before its first byte is answered as without billing, free: %s', async (type) => {
      const handler: Middleware = (ctx) => {
        const source = new PassThrough()
        ctx.type = type
        ctx.body = source
        setImmediate(() => source.destroy(new Error('the model failed')))
      }
      const outcome = (rig: Rig) => rig.call('POST', '/run').then(({ status }) => status, ({ message }: Error) => message)
      const [rig, same] = [sold(handler), bare(handler)]
      expect(await outcome(rig)).toBe(await outcome(same))
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([])
      expect(rig.thrown.map(String)).toEqual(same.thrown.map(String))
    })

    if (version === 'koa 3') it('an error in a ReadableStream that has begun costs nothing', async () => {
      let source!: ReadableStreamDefaultController
      const start = (controller: ReadableStreamDefaultController) => {
        source = controller
        controller.enqueue(Buffer.from('a'))
      }
      const rig = sold((ctx) => { ctx.body = new ReadableStream({ start }) })
      const { res } = await rig.open('POST', '/run')
      res.on('error', () => {})
      await once(res, 'data')
      source.error(new Error('the model failed'))
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([])
    })

    it('one that its producer breaks off without a word costs nothing', async () => {
      const source = new PassThrough()
      const rig = sold((ctx) => { ctx.type = 'text'; ctx.body = source })
      source.write('a')
      const { res } = await rig.open('POST', '/run')
      res.on('error', () => {})
      await once(res, 'data')
      source.destroy()
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([])
    })

    it('a caller who leaves one pays, once', async () => {
      const source = new PassThrough()
      const rig = sold((ctx) => { ctx.type = 'text'; ctx.body = source })
      source.write('a')
      const { req, res } = await rig.open('POST', '/run')
      res.on('error', () => {})
      await once(res, 'data')
      const closed = new Promise((resolve) => { source.once('close', resolve) })
      req.destroy()
      await closed
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([5])
      expect(rig.store.ends).toBe(1)
    })
  })

  describe('callers who leave early', () => {
    const leave = async (handler: (gate: Promise<void>) => Middleware) => {
      let go!: () => void
      let started!: () => void
      const gate = new Promise<void>((resolve) => { go = resolve })
      const reached = new Promise<void>((resolve) => { started = resolve })
      const rig = sold(async (ctx, next) => {
        ctx.res.once('close', go)
        started()
        await handler(gate)(ctx, next)
      })
      const opened = rig.open('POST', '/run')
      opened.catch(() => {})
      await reached
      rig.server.closeAllConnections()
      await rig.store.ended(1)
      return rig
    }

    it.each(Object.keys(forms).filter((form) => !/fail|nothing|what has|function/.test(form)))('%s: settled once', async (form) => {
      const rig = await leave((gate) => async (ctx, next) => {
        await gate
        await forms[form]!(ctx, next)
      })
      expect(await rig.charges()).toEqual([5])
      expect(rig.store.ends).toBe(1)
    })

    it('in the middle of a stream of JSON that is held: settled once', async () => {
      const rig = await leave(() => (ctx) => {
        ctx.type = 'json'
        ctx.body = new PassThrough()
      })
      expect(await rig.charges()).toEqual([5])
      expect(rig.store.ends).toBe(1)
    })

    it('a handler that fails then still costs nothing', async () => {
      const rig = await leave((gate) => async () => {
        await gate
        throw new Error('no')
      })
      expect(await rig.charges()).toEqual([])
    })
  })

  describe('responses written past Koa', () => {
    it.each<[string, Middleware, string]>([
      ['at once', (ctx) => { ctx.respond = false; ctx.res.end('done') }, 'done'],
      ['with a head, in pieces', (ctx) => { ctx.respond = false; ctx.res.writeHead(200, { 'x-own': '1' }); ctx.res.write('do'); ctx.res.end('ne') }, 'done'],
      ['later', (ctx) => { ctx.respond = false; setImmediate(() => ctx.res.end('done')) }, 'done'],
      ['later, in pieces', (ctx) => { ctx.respond = false; ctx.res.statusCode = 200; setImmediate(() => ctx.res.write('do', () => ctx.res.end('ne', () => {}))) }, 'done'],
      ['without telling Koa', (ctx) => { ctx.status = 200; ctx.res.end('done') }, 'done'],
      ['by a pipe', (ctx) => { ctx.respond = false; ctx.res.statusCode = 200; Readable.from([Buffer.from('do'), Buffer.from('ne')]).pipe(ctx.res) }, 'done'],
    ])('%s', async (_, handler, body) => {
      const direct: Middleware = (ctx, next) => {
        ctx.res.statusCode = 200
        return handler(ctx, next) as unknown
      }
      const rig = sold(direct, { terms: { metering: true } })
      const { text, status } = await rig.call('POST', '/run')
      expect({ text, status }).toEqual({ text: body, status: 200 })
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([5])
      expect(rig.store.ends).toBe(1)
    })

    it('tell what was charged where it is known before their head is written', async () => {
      const rig = sold((ctx) => { ctx.respond = false; ctx.res.statusCode = 200; setImmediate(() => ctx.res.end('done')) })
      const { headers } = await rig.call('POST', '/run')
      expect(headers).toMatchObject({ 'credits-ceiling': '5', 'credits-charged': '5', 'content-length': '4' })
    })

    it('cost nothing when they fail', async () => {
      const rig = sold((ctx) => { ctx.respond = false; setImmediate(() => { ctx.res.statusCode = 502; ctx.res.end('no') }) })
      expect((await rig.call('POST', '/run')).headers).toMatchObject({ 'credits-charged': '0' })
      expect(await rig.charges()).toEqual([])
    })

    it('a wrong chunk ends the response and not the process', async () => {
      const rig = sold((ctx) => { ctx.respond = false; ctx.res.statusCode = 200; setImmediate(() => ctx.res.end({} as never)) })
      await expect(rig.call('POST', '/run')).rejects.toThrow('socket hang up')
      await rig.store.ended(1)
    })
  })

  describe('throws', () => {
    const boom = () => Object.assign(new Error('boom'), { status: 418, expose: true, headers: { 'x-own': '1' } })
    const throws: Middleware = () => { throw boom() }

    it.each<[string, Middleware]>([
      ['at once', throws],
      ['after a body', async (ctx) => { ctx.body = { half: 'done' }; ctx.set('x-lost', '1'); await Promise.resolve(); throw boom() }],
    ])('%s: answered as without billing, free', async (_, handler) => {
      const rig = sold(handler)
      const [reply, same] = [await rig.call('POST', '/run'), await bare(handler).call('POST', '/run')]
      expect({ ...reply, headers: without(reply) }).toEqual({ ...same, headers: without(same) })
      expect(reply.headers).toMatchObject({ 'x-own': '1', 'credits-charged': '0', 'credits-ceiling': '5', 'credits-remaining': '100000' })
      expect(await rig.charges()).toEqual([])
      expect(rig.thrown).toHaveLength(1)
    })

    const rescue: Middleware = async (ctx, next) => {
      try {
        await next()
      } catch {
        ctx.status = 200
        ctx.body = { rescued: true }
      }
    }

    it.each(['outside', 'inside'])('turned into a success %s of billing: free all the same', async (where) => {
      const rig = sold(throws, { [where]: [rescue] })
      const { status, text, headers } = await rig.call('POST', '/run')
      expect({ status, text, charged: headers['credits-charged'] }).toEqual({ status: 200, text: '{"rescued":true}', charged: '0' })
      expect(await rig.charges()).toEqual([])
    })

    it('of a route that is not sold, caught by the one that is: paid', async () => {
      const rig = open({ prices: { 'GET /:any': { product: 'p', price: 1 } } })
      rig.app.use(rig.bill)
      rig.app.use(new Router().get('/:any', rescue as never).get('/x', throws as never).routes())
      expect((await rig.call('GET', '/x')).text).toBe('{"rescued":true}')
      expect(await rig.charges()).toEqual([1])
    })

    it('by middleware between billing and the route, after the handler: free', async () => {
      const rig = sold(forms['an object']!, { inside: [async (_, next) => {
        await next()
        throw boom()
      }] })
      expect((await rig.call('POST', '/run')).status).toBe(418)
      expect(await rig.charges()).toEqual([])
    })
  })

  describe('endpoints', () => {
    it('are served before any other middleware, to HEAD too, and cost nothing', async () => {
      const rig = sold(forms['an object']!, { inside: [(ctx) => { ctx.body = 'caught' }] })
      const balance = await rig.call('GET', '/v1/credits/balance')
      expect(JSON.parse(balance.text)).toEqual({ balance: 0, reserved: 0, available: 0 })
      expect(balance.headers['content-type']).toBe('application/json')
      expect((await rig.call('HEAD', '/v1/credits/balance')).headers['content-length']).toBe(balance.headers['content-length'])
      expect(JSON.parse((await rig.call('POST', '/v1/credits/projections/usage-summary')).text)).toMatchObject({ total_calls: 0 })
      expect((await rig.call('GET', '/v1/credits/balance', { headers: { 'x-account': '' } })).status).toBe(401)
      expect((await rig.call('POST', '/v1/credits/balance')).text).toBe('caught')
      expect(await rig.charges()).toEqual([])
    })
  })
})
