import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import type { Handler, HandlerAnswer } from '../support/apps/app.js'
import { latch } from '../support/apps/latch.js'
import type { OpenOptions, Rig } from './adapter.js'
import { rawBytes } from './adapter-wire.js'
import { fakeTime } from './fake-time.js'
import { binary, breaking, events, inChunks, kinds, talk } from './streams.js'

const MiB = 1_048_576
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export function streamRules(rig: Rig): void {
  const open = (handler: Handler, terms: object = {}, options: Partial<OpenOptions> = {}) =>
    rig.open({ routes: [{ route: 'POST /run', handler }], prices: { 'POST /run': { product: 'runs', price: 5, ...terms } }, allowance: 50, ...options })
  const streaming = (chunks: NonNullable<HandlerAnswer['chunks']>, headers: HandlerAnswer['headers'] = events): HandlerAnswer => ({ chunks, headers })

  describe('the charge of a stream', () => {
    it.each(kinds)('is its trailer where the client takes trailers: %s', async (_, headers) => {
      const api = await open(() => streaming(inChunks('data: one\n\n', 4), headers), { charge: () => 2 })
      const wire = api.wire('POST /run', { headers: { te: 'trailers' } })
      const head = await wire.head
      expect(head.headers).toMatchObject({ 'trailer': 'Credits-Charged', 'credits-ceiling': '5' })
      expect(await wire.read()).toEqual({ whole: true, text: 'data: one\n\n', trailers: { 'credits-charged': '2' } })
      expect(await api.charges()).toEqual([2])
      const plain = api.wire('POST /run')
      expect((await plain.head).headers['trailer']).toBeUndefined()
      expect(await plain.read()).toEqual({ whole: true, text: 'data: one\n\n', trailers: {} })
    })

    it('is its last event where the route asks for metering', async () => {
      const api = await open(() => streaming(inChunks('data: one\n\ndata: two\n\n', 5)), { charge: () => 2, metering: true })
      const { text } = await api.call('POST /run')
      expect(text.startsWith('data: one\n\ndata: two\n\n')).toBe(true)
      expect(text.trimEnd().split('\n\n').at(-1)!.trim()).toBe('event: metering\ndata: {"creditsCharged":2,"estimatedMaxCredits":5}')
      expect(text.endsWith('\n\n')).toBe(true)
      expect(await api.charges()).toEqual([2])
    })

    it('is in no other stream', async () => {
      const api = await open(() => streaming(inChunks('some bytes', 3), binary), { metering: true })
      expect((await api.call('POST /run')).text).toBe('some bytes')
    })

    it('adds no byte to one whose length has been told', async () => {
      const text = 'data: one\n\n'
      const api = await open(() => streaming(inChunks(text, 4), { ...events, 'Content-Length': String(text.length) }), { metering: true })
      const wire = api.wire('POST /run', { headers: { te: 'trailers' } })
      expect((await wire.head).headers).toMatchObject({ 'content-length': String(text.length), 'credits-ceiling': '5' })
      expect(await wire.read()).toEqual({ whole: true, text, trailers: {} })
      api.audit.unread('ada')
      const raw = await rawBytes(api.url, ['POST /run HTTP/1.1', 'X-Account: ada', 'Content-Length: 0'])
      expect(raw.slice(raw.indexOf('\r\n\r\n') + 4)).toBe(text)
      expect(await api.settled()).toEqual([5, 5])
    })

    it.each(kinds)('of a HEAD request is that of its GET: %s', async (_, headers) => {
      const terms = { product: 'runs', price: 5, charge: () => 2, metering: true }
      const api = await rig.open({ routes: [{ route: 'GET /run', handler: () => streaming(inChunks('data: one\n\n', 4), headers) }], prices: { 'GET /run': terms }, allowance: 50 })
      for (const te of ['', 'trailers']) {
        const wire = api.wire('HEAD /run', { headers: { te } })
        expect((await wire.head).statusCode).toBe(200)
        expect(await wire.read()).toMatchObject({ whole: true, text: '' })
      }
      expect(await api.settled()).toEqual([2, 2])
    })

    it('is posted before its end is sent', async () => {
      const api = await open(() => streaming(inChunks('data: one\n\n', 4)))
      for (const left of [45, 40, 35]) {
        await api.call('POST /run')
        expect(await api.standing()).toEqual({ balance: left, reserved: 0, available: left })
      }
    })
  })

  describe('a stream', () => {
    it.each(kinds)('that breaks in the middle costs 0: %s', async (_, headers) => {
      const received = latch()
      const api = await open(() => streaming(breaking(received.opened), headers))
      const wire = api.wire('POST /run')
      await wire.begun()
      received.open()
      expect(await api.settled()).toEqual([])
      wire.leave()
      expect([...api.store.calls.values()]).toEqual([['release']])
    })

    it.each(kinds)('is not drawn faster than its client reads: %s', async (_, headers) => {
      const size = 40
      let drawn = 0
      async function* source() {
        for (; drawn < size; drawn++) yield new Uint8Array(MiB).fill(97)
      }
      const api = await open(() => streaming(source(), headers))
      const wire = api.wire('POST /run')
      await wire.head
      await unchanging(() => drawn)
      expect(drawn).toBeLessThan(size / 2)
      expect((await api.standing()).reserved).toBe(5)
      await wire.drain()
      expect(wire.received).toBe(size * MiB)
      expect(await api.settled()).toEqual([5])
    })

    it('is kept nowhere', async () => {
      const size = 32
      const [reached, finish] = [latch(), latch()]
      async function* source() {
        for (let i = 0; i < size; i++) yield new Uint8Array(MiB).fill(i)
        reached.open()
        await finish.opened
        yield new Uint8Array(1)
      }
      const api = await open(() => streaming(source(), binary))
      const before = await memory()
      const wire = api.wire('POST /run')
      const read = wire.drain()
      await reached.opened
      await vi.waitFor(() => expect(wire.received).toBe(size * MiB), { timeout: 10_000 })
      await vi.waitFor(async () => expect(await memory() - before).toBeLessThan(size * MiB / 3), { timeout: 5_000 })
      finish.open()
      await read
      expect(wire.received).toBe(size * MiB + 1)
    })

    it('that is longer than a reservation\'s life keeps it alive, until its maxDuration', async () => {
      const time = fakeTime()
      const finish = latch()
      const api = await open(() => streaming(talk(finish.opened)), { maxDuration: 130_000 }, { now: time.now })
      const wire = api.wire('POST /run')
      await wire.begun()
      await time.pass(120_000, api)
      expect(await api.standing()).toEqual({ balance: 50, reserved: 5, available: 45 })
      await time.pass(90_000, api)
      expect(await api.standing()).toEqual({ balance: 50, reserved: 0, available: 50 })
      expect(api.warnings).toEqual([expect.stringContaining('maxDuration')])
      finish.open()
      expect((await wire.read()).whole).toBe(true)
      expect(await api.charges()).toEqual([5])
    })
  })
}

/** Resolves when a number has stayed what it is for a while. */
async function unchanging(read: () => number): Promise<void> {
  for (let before = NaN; before !== read();) {
    before = read()
    await new Promise((resolve) => { setTimeout(resolve, 60) })
  }
}

/** Bytes of the process's heaps after a collection. What it frees outside of them is counted a turn later. */
async function memory(): Promise<number> {
  for (let turn = 0; turn < 2; turn++) {
    collect()
    await new Promise((resolve) => { setImmediate(resolve) })
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
