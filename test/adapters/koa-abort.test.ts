import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, pipeline, Readable } from 'node:stream'
import { pipeline as piped } from 'node:stream/promises'
import { memoryStore, type Store } from '@farebox/koa'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { describe, expect, it, vi } from 'vitest'
import { rigs, versions, type Options, type Rig } from './koa-rig.js'

const tick = () => new Promise(setImmediate)

/** Numbers from 0 to 1 that look random and are the same each time (mulberry32). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Something to send in pieces, each a turn of the event loop after the other. */
async function* pieces() {
  yield '{"pieces":['
  for (let i = 0; i < 5; i++) {
    await tick()
    yield `${i},`
  }
  await tick()
  yield '5]}'
}

const kinds: Readonly<Record<string, Middleware>> = {
  object: async (ctx) => { await tick(); await tick(); ctx.body = { done: true } },
  stream: (ctx) => { ctx.type = 'text'; ctx.body = Readable.from(pieces(), { objectMode: false }) },
  large: (ctx) => { ctx.type = 'text'; ctx.body = Readable.from([Buffer.alloc(300_000), Buffer.alloc(300_000)]) },
  json: (ctx) => { ctx.type = 'json'; ctx.body = Readable.from(pieces(), { objectMode: false }) },
  pushed: (ctx) => {
    const source = new PassThrough()
    ctx.type = 'text/event-stream'
    ctx.body = source
    void (async () => {
      for await (const piece of pieces()) source.write(piece)
      source.end()
    })()
  },
  direct: async (ctx) => {
    ctx.respond = false
    ctx.res.writeHead(200, { 'Content-Type': 'text/plain' })
    for await (const piece of pieces()) ctx.res.write(piece)
    ctx.res.end('end')
  },
  whole: async (ctx) => { ctx.respond = false; ctx.res.statusCode = 200; await tick(); ctx.res.end('{"done":true}') },
  throws: async () => { await tick(); throw new Error('no') },
  fails: (ctx) => {
    ctx.type = 'text'
    ctx.body = Readable.from((async function* () {
      yield 'a'
      await tick()
      throw new Error('no')
    })(), { objectMode: false })
  },
}

/** Each way of sending a source, also with what a handler may do when the socket tells it that its caller is gone. */
const ways: Readonly<Record<string, (ctx: Context, source: Readable) => unknown>> = {
  'the body': (ctx, source) => { ctx.body = source },
  'a web stream': (ctx, source) => { ctx.body = Readable.toWeb(source) },
  'a pipeline into the body': (ctx, source) => { pipeline(source, ctx.body = new PassThrough(), () => {}) },
  'a pipeline past Koa': async (ctx, source) => { ctx.respond = false; await piped(source, ctx.res) },
  'a pipeline past Koa that Koa was not told of': (ctx, source) => piped(source, ctx.res),
  'a body that ends with its socket': (ctx, source) => { ctx.body = source; ctx.req.socket.once('error', (error) => source.destroy(error)) },
  'a response that ends with its socket': (ctx, source) => { ctx.respond = false; source.pipe(ctx.res); ctx.req.socket.once('error', (error) => ctx.res.destroy(error)) },
  'writes until the socket breaks': async (ctx, source) => {
    ctx.respond = false
    for await (const chunk of source) {
      ctx.res.write(chunk)
      await tick()
      if (ctx.req.socket.errored) throw new Error('gone')
    }
    ctx.res.end()
  },
}

const sources = {
  'that is always ready': () => Readable.from((function* () { for (let i = 0; i < 400; i++) yield 'x'.repeat(65_536) })(), { objectMode: false }),
  'that takes turns': () => Readable.from((async function* () { for (let i = 0; i < 400; i++) { yield 'x'.repeat(100); await tick() } })(), { objectMode: false }),
}

/** Answers each command some turns of the event loop later, so that there is something to leave in the middle of. */
class SlowStore {
  readonly name = 'memory'
  readonly durable = false
  readonly ends = new Map<string, number>()
  reserved = 0
  readonly #inner = memoryStore()

  constructor(private readonly next: () => number) {}

  send: Store['send'] = async (command) => {
    for (let turns = this.next() * 4; turns > 0; turns--) await tick()
    const reply = await this.#inner.send(command)
    if (command.kind === 'reserve') this.reserved++
    if (command.kind === 'settle' || command.kind === 'release') this.ends.set(command.reservation, (this.ends.get(command.reservation) ?? 0) + 1)
    return reply
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

describe.each(versions)('%s', (_, Koa) => {
  const open = rigs(Koa)

  function sold(routes: Readonly<Record<string, Middleware>>, { terms = {}, ...options }: { terms?: object } & Pick<Options, 'store' | 'storeTimeout'> = {}): Rig {
    const rig = open({ prices: Object.fromEntries(Object.keys(routes).map((name) => [`POST /${name}`, { product: 'p', price: 5, ...terms }])), ...options })
    const router = new Router()
    for (const [name, handler] of Object.entries(routes)) router.post(`/${name}`, handler as never)
    rig.app.use(rig.bill).use(router.routes())
    return rig
  }

  it.each([[1, 'metered'], [2, 'ceiling'], [3, 'release']] as const)('settles every call once, whenever its client leaves (seed %d, %s)', async (seed, onAbort) => {
    const next = random(seed)
    const store = new SlowStore(next)
    const rig = sold(kinds, { store: store as Store, storeTimeout: 30_000, terms: { onAbort, metering: true } })
    if (!rig.server.listening) await once(rig.server, 'listening')
    const { port } = rig.server.address() as AddressInfo
    const agent = new Agent({ keepAlive: true, maxSockets: 12 })
    let connections = 0
    rig.server.on('connection', () => connections++)

    const call = async (path: string, patience: number): Promise<'left' | 'paid' | 'failed'> => {
      const req = request({ port, method: 'POST', path: `/${path}`, agent, headers: { 'x-account': 'ada', te: 'trailers' } }).on('error', () => {})
      let ended: 'paid' | 'failed' | undefined
      const closed = new Promise<void>((resolve) => { req.once('close', resolve) }).then(() => { ended ??= 'failed' })
      req.once('response', (res: IncomingMessage) => res.on('error', () => {}).on('end', () => { ended = res.statusCode! < 400 ? 'paid' : 'failed' }).resume())
      req.end()
      await new Promise((resolve) => { req.once('socket', resolve).once('close', resolve) })
      for (let turns = patience; turns > 0 && !ended; turns--) await tick()
      const outcome = ended ?? 'left'
      if (outcome === 'left') req.destroy()
      await closed
      return outcome
    }
    const names = Object.keys(kinds)
    const outcomes = await Promise.all(Array.from({ length: 400 }, (_, i) => call(names[i % names.length]!, next() < 0.2 ? 2_000 : next() * 14)))
    agent.destroy()

    const count = (kind: string) => outcomes.filter((outcome) => outcome === kind).length
    expect(count('left')).toBeGreaterThanOrEqual(200)
    expect(count('paid')).toBeGreaterThan(50)
    // The rest went over a connection that had been used.
    expect(connections).toBeLessThan(360)
    await vi.waitFor(() => expect(store.ends.size).toBe(store.reserved), { timeout: 20_000, interval: 20 })
    expect([...store.ends.values()].filter((times) => times !== 1)).toEqual([])
    const { balance, reserved } = await store.send({ kind: 'balance', account: 'ada' })
    const { entries } = await store.send({ kind: 'entries', account: 'ada', after: '', limit: 10_000 })
    expect(reserved).toBe(0)
    expect(balance).toBe(entries.reduce((sum, { amount }) => sum + amount, 0))
    const charges = entries.filter(({ kind }) => kind === 'charge').length
    expect(charges).toBeGreaterThanOrEqual(count('paid'))
    expect(charges).toBeLessThanOrEqual(count('paid') + count('left'))
    expect(rig.errors).toEqual([])
  }, 60_000)

  describe('before the first byte', () => {
    /** Leaves when the handler has begun, and lets it go on when the server knows. */
    const leave = async (handler: Middleware, terms: object) => {
      let go!: () => void
      let started!: () => void
      const gone = new Promise<void>((resolve) => { go = resolve })
      const reached = new Promise<void>((resolve) => { started = resolve })
      const answered = vi.fn()
      const rig = sold({ run: async (ctx: Context, next) => {
        ctx.res.once('close', go)
        started()
        await gone
        await rig.store.send({ kind: 'balance', account: 'ada' })
        answered(await handler(ctx as never, next))
      } }, { terms })
      rig.open('POST', '/run').catch(() => {})
      await reached
      rig.server.closeAllConnections()
      await vi.waitFor(() => expect(answered).toHaveBeenCalled())
      await rig.store.ended(1)
      return rig
    }
    const answers: Readonly<Record<string, Middleware>> = {
      'an object': (ctx) => { ctx.body = { used: 2 } },
      'a stream': (ctx) => { ctx.type = 'text'; ctx.body = Readable.from(['a']) },
      'bytes written past Koa': (ctx) => { ctx.respond = false; ctx.res.writeHead(200); ctx.res.write('a') },
      'all written past Koa': (ctx) => { ctx.respond = false; ctx.res.writeHead(200, { 'content-type': 'application/json' }); ctx.res.end('{"used":2}') },
    }
    it.each(Object.keys(answers))('%s that the handler makes all the same is what counts', async (name) => {
      const charge = ({ response }: { response: { body?: { used: number } } }) => response.body?.used ?? 1
      expect(await (await leave(answers[name]!, { charge })).charges()).toEqual([/object|all/.test(name) ? 2 : 1])
    })

    it.each([['ceiling', [5]], ['release', []]] as const)('%s: whatever the handler makes, though Koa has no status yet', async (onAbort, charges) => {
      for (const answer of [...Object.values(answers), ((ctx) => { ctx.status = 500 }) satisfies Middleware]) {
        const rig = await leave(answer, { onAbort, charge: () => 1 })
        expect(await rig.charges()).toEqual(charges)
        expect(rig.store.ends).toBe(1)
      }
    })

    it('a failure costs nothing', async () => {
      expect(await (await leave((ctx) => { ctx.status = 500 }, {})).charges()).toEqual([])
    })
  })

  describe.each(Object.keys(ways))('in the middle of %s', (way) => {
    it.each(Object.keys(sources).flatMap((source) => (['reset', 'closed'] as const).map((left) => [source, left] as const)))('a source %s, the connection %s: what was metered is charged', async (source, left) => {
      const rig = sold({ run: (ctx) => {
        ctx.status = 200
        ctx.type = 'application/octet-stream'
        return ways[way]!(ctx as never, sources[source as keyof typeof sources]()) as never
      } }, { terms: { charge: () => 2 } })
      const { req, res } = await rig.open('POST', '/run')
      await once(res.on('error', () => {}), 'readable')
      if (left === 'reset') req.socket!.resetAndDestroy()
      else req.destroy()
      await rig.store.ended(1)
      expect(await rig.charges()).toEqual([2])
    })
  })

  it('changes nothing behind the last byte', async () => {
    for (const name of ['object', 'stream', 'direct', 'whole']) {
      const rig = sold({ [name]: kinds[name]! }, { terms: { onAbort: 'release' } })
      await rig.call('POST', `/${name}`)
      rig.server.closeAllConnections()
      await tick()
      expect(await rig.charges()).toEqual([5])
      expect(rig.store.ends).toBe(1)
    }
  })

  it('keeps nothing on a connection that is used again', async () => {
    const sockets = new Set<NodeJS.EventEmitter>()
    const rig = sold({ stream: (ctx, next) => { sockets.add(ctx.req.socket); return kinds['stream']!(ctx, next) as unknown } })
    const count = () => [...sockets].reduce((sum, socket) => sum + socket.eventNames().reduce((all, name) => all + socket.listenerCount(name), 0), 0)
    for (let i = 0; i < 2; i++) await rig.call('POST', '/stream')
    const before = count()
    for (let i = 0; i < 20; i++) await rig.call('POST', '/stream')
    expect(sockets.size).toBe(1)
    expect(count()).toBe(before)
  })
})
