import { describe, expect, it, vi } from 'vitest'
import type { Handler, HandlerAnswer } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import type { Api, CallOptions, Reply } from './adapter-api.js'
import { events, talk } from './streams.js'

const binary = Uint8Array.from({ length: 3_000 }, (_, i) => (i * 31 + 7) % 256)
const forms: Readonly<Record<string, HandlerAnswer>> = {
  'JSON': { status: 201, json: { text: 'zwölf €', nested: { list: [1] } }, headers: { 'X-Own': 'yes' } },
  'text': { text: 'zwölf €', headers: { 'Cache-Control': 'no-store' } },
  'HTML': { text: '<p>hello</p>', headers: { 'Content-Type': 'text/html; charset=utf-8' } },
  'no body': { status: 204, headers: { 'X-Own': 'yes' } },
  'a redirect': { status: 303, headers: { Location: '/elsewhere' } },
}
const fails: Readonly<Record<string, Handler>> = {
  'status 400': () => ({ status: 400, json: { error: 'no' } }),
  'status 503': () => ({ status: 503, text: 'no' }),
  'a throw': () => { throw new Error('thrown by the handler') },
}
const inProgress = { status: 409, charged: 0, json: { error: { code: 'IDEMPOTENCY_IN_PROGRESS' } } }
const unavailable = { status: 409, charged: 0, json: { error: { code: 'IDEMPOTENCY_RESULT_UNAVAILABLE' } } }
const mismatch = { status: 422, charged: 0, json: { error: { code: 'IDEMPOTENCY_MISMATCH' } } }

/** The options of a call with a key. */
export function keyed(key = 'k', options: CallOptions = {}): CallOptions {
  return { body: {}, ...options, headers: { 'Idempotency-Key': key, ...options.headers } }
}

export function idempotencyRules(rig: Rig): void {
  const terms = { product: 'runs', price: 5, charge: () => 2, metering: true }
  const open = async (handler: Handler, options: Partial<OpenOptions> = {}) => {
    const spied = vi.fn(handler)
    const routes = ['POST /run', 'POST /other', 'POST /items/:id'].map((route) => ({ route, handler: spied }))
    const api = await rig.open({ routes, prices: Object.fromEntries(routes.map(({ route }) => [route, terms])), allowance: 50, ...options })
    return { api, handler: spied }
  }
  const headersOf = ({ headers }: Reply) => Object.fromEntries([...headers].filter(([name]) => !/^(?:date|idempotent-replayed|connection|keep-alive)$/.test(name)))

  describe('Idempotency-Key', () => {
    it.each(Object.keys(forms))('the same key again gets the same response, which is not charged again: %s', async (form) => {
      const { api, handler } = await open(() => forms[form]!)
      const first = await api.call('POST /run', keyed())
      expect(first).toMatchObject({ status: forms[form]!.status ?? 200, charged: 2, ceiling: 5, remaining: 48, replayed: false })
      for (let i = 0; i < 3; i++) {
        const again = await api.call('POST /run', keyed())
        expect(again).toMatchObject({ status: first.status, text: first.text, charged: 2, ceiling: 5, remaining: 48, replayed: true })
        expect(headersOf(again)).toEqual(headersOf(first))
      }
      expect(handler).toHaveBeenCalledOnce()
      expect(await api.charges()).toEqual([2])
      expect((await api.usage()).total_calls).toBe(1)
    })

    it('a binary body is told again byte for byte', async () => {
      const { api, handler } = await open(() => ({ bytes: binary, headers: { 'Content-Type': 'image/png' } }))
      for (const replayed of [false, true]) {
        const reply = await api.callForBytes('POST /run', keyed())
        expect(reply).toMatchObject({ status: 200, charged: 2, replayed })
        expect(reply.headers.get('content-type')).toBe('image/png')
        expect(reply.bytes).toEqual(binary)
      }
      expect(handler).toHaveBeenCalledOnce()
    })

    it('Remaining is what is left when it is told again', async () => {
      const { api } = await open(() => ({ json: {} }))
      await api.call('POST /run', keyed())
      await api.call('POST /run', keyed('another'))
      expect(await api.call('POST /run', keyed())).toMatchObject({ charged: 2, remaining: 46, replayed: true })
    })

    it('a secret is not told again', async () => {
      const { api } = await open(() => ({ json: {}, headers: { 'Set-Cookie': 'session=1' } }))
      expect((await api.call('POST /run', keyed())).headers.get('set-cookie')).toBe('session=1')
      expect((await api.call('POST /run', keyed())).headers.get('set-cookie')).toBeNull()
    })

    it.each([['HEAD', 'GET'], ['GET', 'HEAD'], ['HEAD', 'HEAD']])('%s, then %s: a GET is never told the empty body of a HEAD', async (...methods) => {
      const api = await rig.open({ routes: [{ route: 'GET /run', handler: () => ({ json: { ok: true } }) }], prices: { 'GET /run': { product: 'runs', price: 5 } }, allowance: 50 })
      for (const method of methods) {
        const { status, text } = await api.call(`${method} /run`, keyed('k', { body: undefined }))
        expect({ told: status === 200, text: status === 200 && method === 'GET' ? text : '' }).toEqual({ told: status === 200, text: status === 200 && method === 'GET' ? '{"ok":true}' : '' })
      }
      expect(await api.charges()).toEqual([5])
    })

    it('409 with Retry-After while its call runs; of 20 at once one runs', async () => {
      const [reached, finish] = [latch(), latch()]
      const { api, handler } = await open(async () => {
        reached.open()
        await finish.opened
        return { json: {} }
      })
      const first = api.call('POST /run', keyed())
      await reached.opened
      for (const reply of await Promise.all(Array.from({ length: 20 }, () => api.call('POST /run', keyed())))) {
        expect(reply).toMatchObject(inProgress)
        expect(reply.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
      }
      finish.open()
      expect(await first).toMatchObject({ status: 200, replayed: false })
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, replayed: true })
      expect(handler).toHaveBeenCalledOnce()
    })

    it('another payload is refused: another body, another query, other parameters', async () => {
      const { api, handler } = await open(() => ({ json: {} }))
      await api.call('POST /items/a?x=1', keyed('k', { body: { count: 1 } }))
      expect(await api.call('POST /items/a?x=1', keyed('k', { body: { count: 2 } }))).toMatchObject(mismatch)
      expect(await api.call('POST /items/a?x=2', keyed('k', { body: { count: 1 } }))).toMatchObject(mismatch)
      expect(await api.call('POST /items/b?x=1', keyed('k', { body: { count: 1 } }))).toMatchObject(mismatch)
      expect(handler).toHaveBeenCalledOnce()
      expect((await api.call('POST /items/a?x=1', keyed('k', { body: { count: 1 } }))).replayed).toBe(true)
    })

    it('the order of JSON\'s members and its spaces make no other payload', async () => {
      const { api } = await open(() => ({ json: {} }))
      await api.call('POST /run', keyed('k', { body: '{"a":1,"b":{"c":[1,{"x":1,"y":2}],"d":2}}' }))
      expect((await api.call('POST /run', keyed('k', { body: '{ "b": {"d": 2, "c": [1, {"y": 2, "x": 1}]}, "a": 1 }' }))).replayed).toBe(true)
      expect(await api.call('POST /run', keyed('k', { body: '{"a":1,"b":{"c":[{"x":1,"y":2},1],"d":2}}' }))).toMatchObject(mismatch)
    })

    it('on another route and of another account it is another key', async () => {
      const { api, handler } = await open(() => ({ json: {} }))
      await api.call('POST /run', keyed())
      expect(await api.call('POST /other', keyed())).toMatchObject({ status: 200, charged: 2, replayed: false })
      expect(await api.call('POST /run', keyed('k', { account: 'bob' }))).toMatchObject({ status: 200, charged: 2, replayed: false })
      expect(await api.call('POST /run')).toMatchObject({ status: 200, charged: 2, replayed: false })
      expect(handler).toHaveBeenCalledTimes(4)
    })

    it.each([['empty', ''], ['longer than 255 characters', 'k'.repeat(256)]])('422 for a key that is %s', async (_, key) => {
      const { api, handler } = await open(() => ({ json: {} }))
      expect(await api.call('POST /run', keyed(key))).toMatchObject({ status: 422, charged: 0, json: { error: { code: 'INVALID_REQUEST', details: { issues: [{ field: 'Idempotency-Key' }] } } } })
      expect(handler).not.toHaveBeenCalled()
      expect((await api.call('POST /run', keyed('k'.repeat(255)))).status).toBe(200)
    })

    it.each(Object.keys(fails))('a failed call does not burn the key: %s', async (failure) => {
      let broken = true
      const { api, handler } = await open((request) => (broken ? fails[failure]!(request) : { json: { ok: true } }))
      for (let i = 0; i < 2; i++) expect(await api.call('POST /run', keyed())).toMatchObject({ charged: 0, replayed: false })
      broken = false
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: false })
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: true })
      expect(handler).toHaveBeenCalledTimes(3)
    })

    it('402 and 503 do not burn the key', async () => {
      const { api } = await open(() => ({ json: {} }), { allowance: 0 })
      expect((await api.call('POST /run', keyed())).status).toBe(402)
      api.store.fault = 'fails'
      expect((await api.call('POST /run', keyed())).status).toBe(503)
      api.store.fault = undefined
      await api.grant(5)
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: false })
    })

    it('409 for a streamed response, which is never billed again', async () => {
      const handler = () => ({ chunks: talk(Promise.resolve()), headers: events })
      const { api, handler: spied } = await open(handler)
      expect((await api.call('POST /run', keyed())).text).toContain('data: first')
      expect(await api.settled()).toEqual([2])
      for (let i = 0; i < 2; i++) expect(await api.call('POST /run', keyed())).toMatchObject(unavailable)
      expect(spied).toHaveBeenCalledOnce()
    })

    it('409 for a response too large to be kept, which is never billed again', async () => {
      const { api, handler } = await open(() => ({ json: { text: 'x'.repeat(300_000) } }))
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2 })
      expect(await api.call('POST /run', keyed())).toMatchObject(unavailable)
      expect(handler).toHaveBeenCalledOnce()
    })

    it('a client that left before the response gets it when it asks again', async () => {
      const [reached, finish] = [latch(), latch()]
      const { api, handler } = await open(async () => {
        reached.open()
        await finish.opened
        return { json: { done: true } }
      })
      const wire = api.wire('POST /run', keyed())
      await reached.opened
      wire.leave()
      finish.open()
      expect(await api.settled()).toEqual([2])
      expect(await api.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: true, json: { done: true } })
      expect(handler).toHaveBeenCalledOnce()
    })
  })

  describe('Idempotency-Key over two processes', () => {
    async function openTwo(handler: Handler, options: Partial<OpenOptions> = {}): Promise<{ one: Api; other: Api }> {
      const { api: one } = await open(handler, options)
      const { api: other } = await open(() => ({ json: { by: 'the other' } }), { ...options, beside: one })
      return { one, other }
    }

    it('one runs it, the other knows of it', async () => {
      const [reached, finish] = [latch(), latch()]
      const { one, other } = await openTwo(async () => {
        reached.open()
        await finish.opened
        return { json: { by: 'one' } }
      })
      const first = one.call('POST /run', keyed())
      await reached.opened
      expect(await other.call('POST /run', keyed())).toMatchObject(inProgress)
      finish.open()
      await first
      expect(await other.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: true, json: { by: 'one' } })
      expect(await other.call('POST /run', keyed('k', { body: { more: 1 } }))).toMatchObject(mismatch)
    })

    it('when the first died in mid-call the key is free once its reservation has expired', async () => {
      const reached = latch()
      let now = Date.UTC(2026, 2, 3, 12)
      const { one, other } = await openTwo(() => {
        reached.open()
        return new Promise(() => {})
      }, { now: () => now })
      const dead = one.wire('POST /run', keyed())
      await reached.opened
      one.store.fault = 'hangs'
      dead.leave()
      now += 59_999
      expect(await other.call('POST /run', keyed())).toMatchObject(inProgress)
      now += 1
      expect(await other.call('POST /run', keyed())).toMatchObject({ status: 200, charged: 2, replayed: false, json: { by: 'the other' } })
    })
  })
}
