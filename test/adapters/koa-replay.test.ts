import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import Router from '@koa/router'
import type { Middleware } from 'koa'
import { describe, expect, it } from 'vitest'
import { rigs, versions, type Rig } from './koa-rig.js'

const binary = Buffer.from([0, 1, 0xff, 0xfe, 0x80])

const kept: Readonly<Record<string, Middleware>> = {
  'an object': (ctx) => { ctx.status = 201; ctx.set('x-own', ['a', 'b']); ctx.body = { text: 'zwölf €' } },
  'text': (ctx) => { ctx.body = 'zwölf €' },
  'bytes': (ctx) => { ctx.type = 'image/png'; ctx.body = binary },
  'a status alone': (ctx) => { ctx.status = 201 },
  'a status without a body': (ctx) => { ctx.status = 204 },
  'null': (ctx) => { ctx.status = 200; ctx.body = null },
  'a redirect': (ctx) => ctx.redirect('/elsewhere'),
  'a stream of JSON': (ctx) => { ctx.type = 'json'; ctx.body = Readable.from([Buffer.from('{"a"'), Buffer.from(':1}')]) },
  'bytes written past Koa': (ctx) => { ctx.respond = false; ctx.res.writeHead(200, { 'Content-Type': 'image/png', 'x-own': ['a', 'b'] }); ctx.res.end(binary) },
  'JSON written past Koa': (ctx) => { ctx.respond = false; ctx.res.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', '7', 'ETag', '"1"'].map(String)); ctx.res.end('{"a":1}') },
  'text written without telling Koa': (ctx) => { ctx.res.statusCode = 200; ctx.res.end('00ff', 'hex') },
}

describe.each(versions)('%s', (_, Koa) => {
  const open = rigs(Koa)

  function sold(handler: Middleware, terms: object = {}): Rig {
    const rig = open({ prices: { 'POST /run': { product: 'p', price: 5, ...terms } } })
    rig.app.use((ctx, next) => {
      ctx.set('x-own', 'outside')
      return next()
    })
    rig.app.use(rig.bill).use(new Router().post('/run', (ctx, next) => {
      rig.ran.push('handler')
      return handler(ctx as never, next) as unknown
    }).routes())
    return rig
  }

  async function keyed(rig: Rig, key = '"k"') {
    const { res } = await rig.open('POST', '/run', { headers: { 'idempotency-key': key } })
    const { date: _date, connection: _connection, 'keep-alive': _alive, 'transfer-encoding': _coding, 'idempotent-replayed': replayed, ...headers } = res.headers
    return { replayed, answer: { status: res.statusCode, headers, body: await buffer(res) } }
  }

  it.each(Object.keys(kept))('answers again with %s, and charges once', async (form) => {
    const rig = sold(kept[form]!)
    const [first, again] = [await keyed(rig), await keyed(rig)]
    expect([first.replayed, again.replayed]).toEqual([undefined, 'true'])
    const { headers: { 'content-type': _type, 'content-length': _length, ...headers }, ...answer } = first.answer
    expect(again.answer).toMatchObject({ ...answer, headers })
    // Where there is no body, Koa names its type all the same.
    if (first.answer.body.length > 0 && form !== 'text written without telling Koa') expect(again.answer.headers['content-type']).toBe(first.answer.headers['content-type'])
    if (again.answer.status !== 204) expect(again.answer.headers['content-length']).toBe(String(first.answer.body.length))
    expect(await rig.charges()).toEqual([5])
    expect(rig.ran).toEqual(['handler'])
  })

  it('tells what the first call cost, in a body that was kept without it', async () => {
    for (const form of ['an object', 'JSON written past Koa']) {
      const rig = sold(kept[form]!, { metering: true, charge: () => 2 })
      const [first, again] = [await keyed(rig), await keyed(rig)]
      expect(JSON.parse(first.answer.body.toString())).toMatchObject({ metering: { creditsCharged: 2, estimatedMaxCredits: 5 } })
      expect(first.answer.headers['content-length']).toBe(String(first.answer.body.length))
      expect(again.answer).toEqual({ ...first.answer, headers: { ...first.answer.headers, ...again.answer.headers } })
      expect(again.answer.headers).toMatchObject({ 'credits-charged': '2', 'credits-ceiling': '5' })
      expect(await rig.charges()).toEqual([2])
    }
  })

  it('weakens the ETag of JSON written past Koa that it adds to, and no other', async () => {
    const etagOf = async (terms: object) => (await sold(kept['JSON written past Koa']!, terms).call('POST', '/run')).headers.etag
    expect(await etagOf({ metering: true })).toBe('W/"1"')
    expect(await etagOf({})).toBe('"1"')
  })

  it('what streamed is not kept, nor billed again', async () => {
    for (const handler of [(ctx) => { ctx.type = 'text'; ctx.body = Readable.from(['a']) }, (ctx) => { ctx.respond = false; ctx.res.writeHead(200); ctx.res.write('a'); ctx.res.end() }] satisfies Middleware[]) {
      const rig = sold(handler)
      expect((await keyed(rig)).answer.status).toBe(200)
      expect((await keyed(rig)).answer.status).toBe(409)
      expect(await rig.charges()).toEqual([5])
    }
  })

  it('a caller who left before the answer finds it under the key', async () => {
    let reach!: () => void
    const reached = new Promise<void>((resolve) => { reach = resolve })
    const rig = sold(async (ctx, next) => {
      const left = once(ctx.res, 'close')
      reach()
      await left
      await kept['an object']!(ctx, next)
    })
    rig.open('POST', '/run', { headers: { 'idempotency-key': '"k"' } }).catch(() => {})
    await reached
    rig.server.closeAllConnections()
    await rig.store.ended(1)
    expect((await keyed(rig)).answer).toMatchObject({ status: 201, body: Buffer.from('{"text":"zwölf €"}') })
    expect(await rig.charges()).toEqual([5])
  })

  it('an operation is found by its id, however that is written', async () => {
    const rig = sold((ctx) => { ctx.status = 202; ctx.body = { id: 'a/b c%' } }, { operation: ({ response }: { response: { body: { id: string } } }) => response.body.id })
    await rig.call('POST', '/run')
    const path = `/v1/operations/${encodeURIComponent('a/b c%')}`
    expect(JSON.parse((await rig.call('GET', path)).text)).toMatchObject({ operationId: 'a/b c%', status: 'pending' })
    expect((await rig.call('HEAD', path)).status).toBe(200)
    expect((await rig.call('GET', path, { headers: { 'x-account': 'eve' } })).status).toBe(404)
    await rig.bill.operations.succeed('a/b c%', { charge: 3, result: { done: true } })
    expect(JSON.parse((await rig.call('GET', path)).text)).toMatchObject({ status: 'succeeded', result: { done: true } })
    expect(await rig.charges()).toEqual([3])
  })
})
