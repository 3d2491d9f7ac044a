import { MAX_BODY_BYTES } from '@farebox/core/adapter'
import type { Route } from '@farebox/hono'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { validator } from 'hono/validator'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { creditsOf, rigged, type Rig } from './hono-rig.js'

const json = { 'content-type': 'application/json' }

/** Prices a call by what billing reads of its body. */
function reading(add: (rig: Rig) => void, body: z.ZodType = z.unknown()) {
  const seen: unknown[] = []
  const route: Route<unknown> = { product: 'p', body, price: ({ body }) => { seen.push(body); return 1 } }
  const rig = rigged({ prices: { 'POST /run': route, 'GET /run': route } })
  rig.app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text(error.message, 500)))
  add(rig)
  return { rig, seen }
}

/** Every way in which a handler may read the body, and what it gets of `{"a":1}`. */
const readers: Record<string, (c: Context) => unknown> = {
  'c.req.json()': (c) => c.req.json(),
  'c.req.text()': async (c) => JSON.parse(await c.req.text()) as unknown,
  'c.req.arrayBuffer()': async (c) => JSON.parse(new TextDecoder().decode(await c.req.arrayBuffer())) as unknown,
  'c.req.blob()': async (c) => JSON.parse(await (await c.req.blob()).text()) as unknown,
  'c.req.raw.json()': (c) => c.req.raw.json(),
  'c.req.raw.clone()': (c) => c.req.raw.clone().json(),
  'c.req.raw.body': async (c) => JSON.parse(await new Response(c.req.raw.body).text()) as unknown,
}

describe.each(Object.entries(readers))('a handler that reads by %s', (_name, read) => {
  it('gets the body that was priced', async () => {
    const { rig, seen } = reading(({ app, bill }) => app.use(bill).post('/run', async (c) => c.json(await read(c) as object)))
    expect(await (await rig.post('/run', { a: 1 })).json()).toEqual({ a: 1 })
    expect(JSON.parse((await rig.call('POST', '/run', { headers: json, body: '{"a":1}' })).text)).toEqual({ a: 1 })
    expect(JSON.parse((await rig.call('POST', '/run', { headers: { ...json, 'transfer-encoding': 'chunked' }, body: ['{"a"', ':1}'] })).text)).toEqual({ a: 1 })
    expect(seen).toEqual([{ a: 1 }, { a: 1 }, { a: 1 }])
  })
})

describe('a body that was read before billing', () => {
  it('through c.req is priced from what c.req keeps', async () => {
    for (const early of ['json', 'text', 'arrayBuffer'] as const) {
      const { rig, seen } = reading(({ app, bill }) => {
        app.use(async (c, next) => { await c.req[early](); await next() }).use(bill).post('/run', async (c) => c.json(await c.req.json()))
      })
      expect(await (await rig.post('/run', { a: 1 })).json(), early).toEqual({ a: 1 })
      expect((await rig.call('POST', '/run', { headers: json, body: '{"a":1}' })).status, early).toBe(200)
      expect(seen, early).toEqual([{ a: 1 }, { a: 1 }])
    }
  })

  it('from c.req.raw can\'t be priced: refused, and the handler does not run', async () => {
    const { rig } = reading(({ app, bill, ran }) => {
      app.use(async (c, next) => { await c.req.raw.text(); await next() }).use(bill).post('/run', (c) => { ran.push('run'); return c.text('') })
    })
    for (const { status } of [await rig.post('/run', { a: 1 }), await rig.call('POST', '/run', { headers: json, body: '{"a":1}' })]) expect(status).toBe(422)
    expect(rig.ran).toEqual([])
  })

  it('behind bodyLimit and in front of a validator', async () => {
    const { rig, seen } = reading(({ app, bill }) => {
      app.use(bodyLimit({ maxSize: 100 })).use(bill).post('/run', validator('json', (value) => value), (c) => c.json(c.req.valid('json')))
    })
    expect(await (await rig.post('/run', { a: 1 })).json()).toEqual({ a: 1 })
    expect(JSON.parse((await rig.call('POST', '/run', { headers: { ...json, 'transfer-encoding': 'chunked' }, body: ['{"a":1}'] })).text)).toEqual({ a: 1 })
    expect(seen).toEqual([{ a: 1 }, { a: 1 }])
    expect((await rig.post('/run', { a: 'x'.repeat(200) })).status).toBe(413)
  })
})

describe('forms', () => {
  const form = z.object({ name: z.string(), 'tags[]': z.array(z.string()).optional() })

  it('are parsed as c.req.parseBody() parses them, and left for it', async () => {
    const { rig, seen } = reading(({ app, bill }) => app.use(bill).post('/run', async (c) => c.json(await c.req.parseBody() as object)), form)
    const wanted = { name: 'ada', 'tags[]': ['x', 'y'] }
    const multipart = new FormData()
    for (const [name, value] of [['name', 'ada'], ['tags[]', 'x'], ['tags[]', 'y']] as const) multipart.append(name, value)
    for (const body of [multipart, new URLSearchParams('name=ada&tags[]=x&tags[]=y')]) {
      const response = await rig.request('POST', '/run', { body })
      expect([response.status, await response.json()]).toEqual([200, wanted])
    }
    const sent = await rig.call('POST', '/run', { headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' }, body: 'name=ada&tags[]=x&tags[]=y' })
    expect(JSON.parse(sent.text)).toEqual(wanted)
    expect(seen).toEqual([wanted, wanted, wanted])
  })

  it('also where c.req has read them before', async () => {
    for (const early of ['parseBody', 'formData', 'text'] as const) {
      const { rig, seen } = reading(({ app, bill }) => {
        app.use(async (c, next) => { await c.req[early](); await next() }).use(bill).post('/run', (c) => c.text('ran'))
      }, form)
      const multipart = new FormData()
      multipart.append('name', 'ada')
      expect((await rig.request('POST', '/run', { body: multipart })).status, early).toBe(200)
      expect(seen, early).toEqual([{ name: 'ada' }])
    }
  })

  it('that is broken is refused', async () => {
    const { rig } = reading(({ app, bill }) => app.use(bill).post('/run', (c) => c.text('ran')))
    expect((await rig.request('POST', '/run', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: 'nonsense' })).status).toBe(422)
  })
})

describe('what can\'t be priced is answered 422, free, and the handler does not run', () => {
  const cases: Record<string, { headers: Record<string, string>, body: string | readonly string[], reason: string }> = {
    'broken JSON': { headers: json, body: '{"a":', reason: 'can\'t be read' },
    'another content type': { headers: { 'content-type': 'text/plain' }, body: '{"a":1}', reason: 'got text/plain' },
    'no content type': { headers: {}, body: '{"a":1}', reason: 'no Content-Type' },
    'too large by its length': { headers: json, body: JSON.stringify('x'.repeat(MAX_BODY_BYTES)), reason: `larger than ${MAX_BODY_BYTES} bytes` },
    'too large while it is read': { headers: { ...json, 'transfer-encoding': 'chunked' }, body: [JSON.stringify('x'.repeat(MAX_BODY_BYTES / 2)).slice(0, -1), `${'x'.repeat(MAX_BODY_BYTES / 2)}"`], reason: `larger than ${MAX_BODY_BYTES} bytes` },
    'too large for a length that is a lie': { headers: { ...json, 'content-length': '-1' }, body: [JSON.stringify('x'.repeat(MAX_BODY_BYTES))], reason: `larger than ${MAX_BODY_BYTES} bytes` },
    'not what the schema wants': { headers: json, body: '{"a":"one"}', reason: 'a: ' },
    'nothing, where the schema wants something': { headers: json, body: '', reason: '' },
  }

  it.each(Object.entries(cases))('%s', async (name, { headers, body, reason }) => {
    const { rig } = reading(({ app, bill, ran }) => app.use(bill).post('/run', (c) => { ran.push('run'); return c.text('ran') }), z.object({ a: z.number() }))
    const wire = name.includes('lie') ? undefined : await rig.call('POST', '/run', { headers, body })
    const bytes = new TextEncoder().encode(typeof body === 'string' ? body : body.join(''))
    const direct = await rig.request('POST', '/run', { headers, body: bytes })
    for (const [status, text] of [[direct.status, await direct.text()], ...(wire ? [[wire.status, wire.text] as const] : [])] as const) {
      expect(status, name).toBe(422)
      expect(text, name).toContain(reason)
    }
    expect(rig.ran).toEqual([])
    expect(rig.store.kinds).not.toContain('reserve')
  })
})

it('a body that says it is too large is not even asked for', async () => {
  const { rig } = reading(({ app, bill }) => app.use(bill).post('/run', (c) => c.text('ran')))
  let asked = false
  const body = new ReadableStream({ pull() { asked = true } }, { highWaterMark: 0 })
  const request = new Request('http://h/run', { method: 'POST', headers: { ...json, 'x-account': 'ada', 'content-length': String(MAX_BODY_BYTES + 1) }, body, duplex: 'half' } as RequestInit)
  expect((await rig.app.request(request)).status).toBe(422)
  expect(asked).toBe(false)
})

it('no body is undefined, with and without a content type, GET included', async () => {
  const { rig, seen } = reading(({ app, bill }) => app.use(bill).post('/run', (c) => c.text('ran')).get((c) => c.text('ran')))
  expect((await rig.request('POST', '/run')).status).toBe(200)
  expect((await rig.request('GET', '/run')).status).toBe(200)
  expect((await rig.call('POST', '/run', { headers: json, body: '' })).status).toBe(200)
  expect((await rig.call('GET', '/run')).status).toBe(200)
  expect((await rig.call('POST', '/run', { headers: { ...json, 'transfer-encoding': 'chunked' }, body: [] })).status).toBe(200)
  expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined])
})

it('takes JSON of any media type that is JSON, with a byte order mark, and exactly as much as is read', async () => {
  const { rig, seen } = reading(({ app, bill }) => app.use(bill).post('/run', (c) => c.text('ran')))
  await rig.request('POST', '/run', { headers: { 'content-type': 'application/vnd.api+json; charset=utf-8' }, body: '{"a":1}' })
  await rig.request('POST', '/run', { headers: json, body: '\uFEFF{"a":1}' })
  expect(seen).toEqual([{ a: 1 }, { a: 1 }])
  expect((await rig.request('POST', '/run', { headers: json, body: JSON.stringify('x'.repeat(MAX_BODY_BYTES - 2)) })).status).toBe(200)
})

it('a route without a schema does not touch the body', async () => {
  const rig = rigged({ prices: { 'POST /run': { product: 'p', price: 1 } } })
  rig.app.use(rig.bill).post('/run', async (c) => c.text(String((await c.req.raw.text()).length)))
  const sent = await rig.call('POST', '/run', { headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(2 * MAX_BODY_BYTES) })
  expect([sent.text, creditsOf(sent.headers)['credits-charged']]).toEqual([String(2 * MAX_BODY_BYTES), '1'])
})
