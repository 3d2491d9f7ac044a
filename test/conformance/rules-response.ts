import { describe, expect, it, vi } from 'vitest'
import type { HandlerAnswer } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { Rig } from './adapter.js'
import { talk } from './streams.js'

const forms: Readonly<Record<string, HandlerAnswer>> = {
  'JSON': { json: { text: 'zwölf €', nested: { list: [1, { a: '}' }] } } },
  'a JSON array': { json: [1, 2, 3] },
  'text': { text: 'zwölf €' },
  'HTML': { text: '<p>hello</p>', headers: { 'Content-Type': 'text/html; charset=utf-8' } },
  'no body': { status: 204 },
}

export function responseRules(rig: Rig): void {
  const sold = (answer: HandlerAnswer, terms: object = {}, route = 'POST /run') =>
    ({ routes: [{ route, handler: () => answer }], prices: { [route]: { product: 'runs', price: 5, ...terms } }, allowance: 50 })

  describe('responses', () => {
    it.each(Object.keys(forms))('%s leaves as without billing, but for three headers', async (form) => {
      const billed = await rig.open(sold(forms[form]!))
      const bare = await rig.open({ ...sold(forms[form]!), unbilled: true })
      const [reply, same] = [await billed.call('POST /run'), await bare.call('POST /run')]
      expect(reply.text).toBe(same.text)
      const without = (headers: Headers) => Object.fromEntries([...headers].filter(([name]) => !/^credits-|^date$/.test(name)))
      expect(without(reply.headers)).toEqual(without(same.headers))
      expect(reply).toMatchObject({ status: same.status, charged: 5, ceiling: 5, remaining: 45 })
    })

    it('metering and headers equal the ledger\'s charge', async () => {
      const api = await rig.open(sold({ json: { id: 'x' } }, { price: 0.3, charge: () => 0.1 + 0.1, metering: true }))
      for (let i = 1; i <= 3; i++) {
        const reply = await api.call('POST /run')
        expect(reply.text).toBe('{"id":"x","metering":{"creditsCharged":0.2,"estimatedMaxCredits":0.3}}')
        expect(reply.headers.get('content-length')).toBe(String(reply.text.length))
        expect(reply).toMatchObject({ charged: 0.2, ceiling: 0.3, remaining: (500 - i * 2) / 10 })
      }
      expect(await api.charges()).toEqual([0.2, 0.2, 0.2])
    })

    it('metering counts bytes, not characters', async () => {
      const api = await rig.open(sold({ json: { text: 'zwölf €' } }, { metering: true }))
      const { text, headers } = await api.call('POST /run')
      expect(JSON.parse(text)).toEqual({ text: 'zwölf €', metering: { creditsCharged: 5, estimatedMaxCredits: 5 } })
      expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    })

    it('metering of a failed call says that it was free', async () => {
      const api = await rig.open(sold({ status: 500, json: { error: 'no' } }, { metering: true }))
      expect((await api.call('POST /run')).json).toEqual({ error: 'no', metering: { creditsCharged: 0, estimatedMaxCredits: 5 } })
    })

    it('what is no JSON object carries no metering', async () => {
      for (const form of ['a JSON array', 'text', 'no body']) {
        const api = await rig.open(sold(forms[form]!, { metering: true }))
        expect((await api.call('POST /run')).text).not.toContain('metering')
      }
    })

    it.each(['JSON', 'text', 'no body'])('%s is held until settled', async (form) => {
      const { routes, prices, allowance } = sold(forms[form]!)
      const api = await rig.open({ routes: [...routes, { route: 'GET /free', handler: () => ({ json: {} }) }], prices, allowance, storeTimeout: 60_000 })
      const { reached, release } = api.store.hold('settle')
      let arrived = false
      const call = api.call('POST /run').then((reply) => {
        arrived = true
        return reply
      })
      await reached
      await api.call('GET /free')
      expect(arrived).toBe(false)
      release()
      expect(await call).toMatchObject({ charged: 5, remaining: 45 })
    })

    it('the balance read right after the response shows the charge', async () => {
      const api = await rig.open(sold({ json: {} }))
      for (let left = 45; left >= 0; left -= 5) {
        await api.call('POST /run')
        expect(await api.standing()).toEqual({ balance: left, reserved: 0, available: left })
      }
    })
  })

  describe('streams', () => {
    it.each(['text/event-stream', 'application/octet-stream', 'text/plain'])('%s passes the first byte at once and is settled at its end', async (type) => {
      const received = latch()
      const handler = () => ({ chunks: talk(received.opened), headers: { 'Content-Type': type } })
      const api = await rig.open({ ...sold({}), routes: [{ route: 'POST /run', handler }] })
      const response = await api.stream('POST /run')
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      expect((await reader.read()).value).toBe('data: first\n\n')
      expect(response.headers.get('credits-ceiling')).toBe('5')
      expect(response.headers.get('credits-charged')).toBeNull()
      expect(await api.standing()).toEqual({ balance: 50, reserved: 5, available: 45 })
      received.open()
      expect((await reader.read()).value).toBe('data: second\n\n')
      expect((await reader.read()).done).toBe(true)
      await vi.waitFor(async () => expect(await api.standing()).toEqual({ balance: 45, reserved: 0, available: 45 }))
      expect(await api.charges()).toEqual([5])
    })

    it('a stream with a failure status is free', async () => {
      const received = latch()
      received.open()
      const handler = () => ({ status: 503, chunks: talk(received.opened), headers: { 'Content-Type': 'text/event-stream' } })
      const api = await rig.open({ ...sold({}), routes: [{ route: 'POST /run', handler }] })
      expect(await api.call('POST /run')).toMatchObject({ status: 503, text: 'data: first\n\ndata: second\n\n' })
      await vi.waitFor(async () => expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 }))
    })
  })
}
