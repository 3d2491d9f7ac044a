import { once } from 'node:events'
import { Agent, request, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { PassThrough, pipeline, Readable } from 'node:stream'
import { meter } from '@farebox/core/meter'
import { metered } from '@farebox/core'
import type { RequestHandler } from 'express'
import { describe, expect, it, vi } from 'vitest'
import { rigs, versions, type Rig } from './express-rig.js'

const GET = 'GET /run HTTP/1.1\r\nHost: x\r\n\r\n'
const policies = { metered: ['settle', [2]], ceiling: ['settle', [3]], release: ['release', []] } as const

type Handler = (res: ServerResponse, reached: () => void, gone: Promise<unknown>) => void

/** Two ways of leaving: closing both sides of the connection at once, and one side first. */
const leavings = { reset: (socket: Socket) => socket.resetAndDestroy(), end: (socket: Socket) => socket.end() }

/** Each way of streaming without an end. */
const streams: Record<string, (res: ServerResponse, source: Readable) => void> = {
  'pipe': (res, source) => source.pipe(res),
  'pipeline': (res, source) => pipeline(source, res, () => {}),
  'pipeline of an iterator': (res, source) => pipeline(source[Symbol.asyncIterator]() as never, res, () => {}),
  'writes': (res, source) => source.on('data', (chunk) => res.write(chunk)).on('end', () => res.end()),
  'pipe that is cut with its caller': (res, source) => {
    res.once('close', () => source.destroy(new Error('nobody reads')))
    source.on('error', (error) => res.destroy(error)).pipe(res)
  },
}

describe.each(versions)('%s', (_, express) => {
  const open = rigs(express)

  /** An app with one route whose price is 3, charged 2; or as `terms` say. */
  function app(handler: RequestHandler, terms: object = {}): Rig {
    const rig = open({ prices: { 'GET /run': { product: 'p', price: 3, charge: () => 2, ...terms }, 'POST /run': { product: 'p', price: 3, charge: () => 2, ...terms } } as never })
    rig.app.use(rig.bill)
    rig.app.all('/run', handler)
    return rig
  }

  async function expectEnded(rig: Rig, ...endings: string[]) {
    await rig.ended(endings.length)
    await new Promise(setImmediate)
    expect(rig.store.ends).toEqual(endings)
    expect(await rig.reserved()).toBe(0)
    expect(rig.errors).toEqual([])
  }

  /** Calls and leaves when the handler says so. */
  async function leave(handler: Handler, terms: object = {}, leaving = leavings.reset): Promise<Rig> {
    const reached = latch()
    const rig = app((_req, res) => handler(res, reached.open, once(res, 'close')), terms)
    const socket = await rig.raw(GET)
    await reached.opened
    leaving(socket)
    return rig
  }

  it('is charged by the parameters of its route, though the router has passed on since', async () => {
    const reached = latch()
    const rig = open({ prices: { 'GET /runs/:count': { product: 'p', price: 9, charge: ({ params }: { params: { count: string } }) => Number(params.count) } } } as never)
    rig.app.use(rig.bill)
    const router = express.Router()
    router.get('/runs/:count', (_req, res, next) => {
      res.write('some')
      next()
    })
    rig.app.use(router)
    rig.app.use('/:other', () => reached.open())
    const socket = await rig.raw('GET /runs/4 HTTP/1.1\r\nHost: x\r\n\r\n')
    await reached.opened
    leavings.reset(socket)
    await expectEnded(rig, 'settle')
    expect(await rig.charges()).toEqual([4])
  })

  it('is charged when the router has taken all parameters off the request', async () => {
    const rig = open({ prices: { 'GET /run': { product: 'p', price: 9, charge: () => 4 } } } as never)
    rig.app.use(rig.bill)
    rig.app.get('/run', (_req, res, next) => {
      res.write('some')
      next()
    })
    const socket = await rig.raw(GET)
    await once(socket, 'data')
    leavings.reset(socket)
    await expectEnded(rig, 'settle')
    expect(await rig.charges()).toEqual([4])
  })

  describe('a caller that leaves in the middle of a stream', () => {
    const cases = Object.keys(policies).flatMap((policy) => Object.keys(streams).flatMap((stream) => Object.keys(leavings).map((how) => [policy, stream, how] as const)))
    it.each(cases)('%s: %s, %s', async (policy, stream, how) => {
      const reached = latch()
      const rig = app((_req, res) => streams[stream]!(res, endless()), { onAbort: policy })
      const socket = await rig.raw(GET)
      socket.once('data', reached.open)
      await reached.opened
      leavings[how as 'end'](socket)
      const [ending, charges] = policies[policy as 'metered']
      await expectEnded(rig, ending)
      expect(await rig.charges()).toEqual(charges)
    })

    it('pays what was counted until then, whatever its handler still does', async () => {
      const rig = await leave((res, reached, gone) => {
        meter.count('page', 2)
        res.write('some')
        reached()
        void gone.then(() => {
          meter.count('page')
          res.end('more')
        })
      }, metered({ rates: { page: 0.5 }, ceiling: () => ({ page: 6 }), used: ({ counts }) => ({ page: counts['page'] ?? 0 }) }))
      await expectEnded(rig, 'settle')
      expect(await rig.charges()).toEqual([1])
    })

    it.each<[string, string, RequestHandler]>([
      ['an echo', 'POST /run HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n', (req, res) => pipeline(req, new PassThrough(), res, () => {})],
      ['an error passed on', GET, (req, res, next) => {
        res.write('data')
        req.on('aborted', () => next(new Error('nobody reads')))
      }],
      ['a response destroyed', GET, (req, res) => {
        res.write('data')
        req.on('aborted', () => res.destroy(new Error('nobody reads')))
      }],
      ['a source destroyed', GET, (req, res) => {
        const source = endless('data').on('error', () => {})
        req.on('aborted', () => source.destroy(new Error('nobody reads')))
        source.pipe(res)
      }],
    ])('pays for a stream that fails because of it: %s', async (_, sent, handler) => {
      for (const leaving of Object.values(leavings)) {
        const rig = app(handler)
        const socket = await rig.raw(sent)
        await once(socket, 'data')
        leaving(socket)
        await expectEnded(rig, 'settle')
      }
    })

    it('pays the whole where all of a told length has left', async () => {
      const rig = app((_req, res) => {
        res.setHeader('Content-Length', '4')
        res.write('te')
        res.write('xt')
      }, { onAbort: 'release' })
      const socket = await rig.raw(GET)
      for (let read = ''; !read.endsWith('text');) read += String((await once(socket, 'data') as [Buffer])[0])
      socket.destroy()
      await expectEnded(rig, 'settle')
    })

    it('pays nothing for a response that is a failure', async () => {
      const rig = await leave((res, reached) => {
        res.statusCode = 500
        res.flushHeaders()
        res.write('some')
        reached()
      }, { onAbort: 'ceiling' })
      await expectEnded(rig, 'release')
    })
  })

  describe('a caller that leaves before the first byte', () => {
    it('leaves a call that its handler ends', async () => {
      const rig = await leave((res, reached, gone) => {
        reached()
        void gone.then(async () => {
          rig.ran.push(String(await rig.reserved()))
          res.setHeader('Content-Type', 'application/json').end('{}')
        })
      })
      await expectEnded(rig, 'settle')
      expect(rig.ran).toEqual(['3'])
    })

    it.each(['ceiling', 'release'] as const)('%s: is settled at once', async (onAbort) => {
      const rig = await leave((_res, reached) => reached(), { onAbort })
      await expectEnded(rig, policies[onAbort][0])
      expect(await rig.charges()).toEqual(policies[onAbort][1])
    })

    it.each(Object.entries(streams))('and whose response then streams, pays at that moment: %s', async (_, stream) => {
      const rig = await leave((res, reached, gone) => {
        reached()
        void gone.then(() => stream(res, endless()))
      })
      await expectEnded(rig, 'settle')
      expect(await rig.charges()).toEqual([2])
    })

    it('pays for a pipe that stops with it, held back or not yet begun', async () => {
      for (const type of ['application/json', 'text/plain']) {
        const rig = await leave((res, reached) => {
          res.setHeader('Content-Type', type)
          new Readable({ read: reached }).pipe(res)
        })
        await expectEnded(rig, 'settle')
      }
    })

    it('pays nothing where its handler gives up or throws', async () => {
      for (const end of [(res) => res.destroy(), (res) => res.destroy(new Error('nobody there'))] as ((res: ServerResponse) => void)[]) {
        const early = app((req, res) => {
          req.on('close', () => end(res))
          req.resume()
        })
        const socket = await early.raw('POST /run HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n')
        await vi.waitFor(async () => expect(await early.reserved()).toBe(3))
        socket.end()
        await expectEnded(early, 'release')
        const late = await leave((res, reached, gone) => {
          reached()
          void gone.then(() => end(res))
        })
        await expectEnded(late, 'release')
      }
      const rig = app((_req, res, next) => void once(res, 'close').then(() => next(new Error('late'))))
      const socket = await rig.raw(GET)
      await vi.waitFor(async () => expect(await rig.reserved()).toBe(3))
      socket.destroy()
      await expectEnded(rig, 'release')
    })

    it('is found to have left while its credits were being reserved', async () => {
      for (const [onAbort, ending] of [['metered', 'settle'], ['ceiling', 'settle'], ['release', 'release']]) {
        const rig = app((_req, res) => {
          rig.ran.push('run')
          if (onAbort === 'metered') res.write('a')
        }, { onAbort })
        const go = rig.store.stopReserving()
        const socket = await rig.raw(GET)
        await vi.waitFor(() => expect(rig.store.reserving).toBe(1))
        const gone = once(rig.responses[0]!, 'close')
        socket.destroy()
        await gone
        go()
        await expectEnded(rig, ending!)
        expect(await rig.charges()).toEqual(policies[onAbort as 'metered'][1])
        expect(rig.ran).toEqual(['run'])
      }
    })
  })

  describe('a caller that leaves after the last byte', () => {
    it.each([['JSON', '{}', 'application/json'], ['a stream', 'text', 'text/plain']])('changes nothing: %s', async (_, body, type) => {
      const rig = app((_req, res) => {
        res.setHeader('Content-Type', type)
        res.write(body)
        res.end()
        rig.ran.push('ended')
      }, { onAbort: 'release' })
      const go = rig.store.stop()
      const socket = await rig.raw(GET)
      await vi.waitFor(() => expect(rig.ran).toEqual(['ended']))
      const gone = once(rig.responses[0]!, 'close')
      socket.destroy()
      await gone
      go()
      await expectEnded(rig, 'settle')
    })
  })

  describe('a producer that breaks', () => {
    const failures: Record<string, RequestHandler> = {
      'a pipeline whose source fails': (_req, res) => pipeline(failing(), res, () => {}),
      'a pipe whose source fails': (_req, res) => {
        failing().on('error', (error) => res.destroy(error)).pipe(res)
      },
      'a response destroyed': (_req, res) => {
        res.write('some', () => res.destroy())
      },
      'a response destroyed with an error': (_req, res) => {
        res.write('some', () => res.destroy(new Error('broken')))
      },
      'a response destroyed before its first byte': (_req, res) => {
        res.destroy()
      },
      'a throw': (_req, res) => {
        res.write('some')
        throw new Error('broken')
      },
      'an error passed on': (_req, res, next) => {
        res.write('some', () => next(new Error('broken')))
      },
    }
    it.each(Object.entries(failures))('costs nothing: %s', async (_, handler) => {
      const rig = app(handler, { onAbort: 'ceiling' })
      await expect(rig.call('GET /run')).rejects.toThrow(/aborted|hang up|ECONNRESET/)
      await expectEnded(rig, 'release')
    })

    it('costs nothing where only its caller\'s leaving ends it', async () => {
      const failed = latch()
      const rig = app((_req, res) => {
        failing().on('error', failed.open).pipe(res)
      }, { onAbort: 'ceiling' })
      const socket = await rig.raw(GET)
      await failed.opened
      socket.destroy()
      await expectEnded(rig, 'release')
    })

    it('does not stand for the next, nor for a handler that goes on', async () => {
      const another = app((_req, res) => {
        failing().on('error', () => Readable.from(['other']).pipe(res)).pipe(res)
      })
      expect((await another.call('GET /run')).text).toBe('someother')
      await expectEnded(another, 'settle')
      const second = latch()
      const left = app((_req, res) => {
        failing().on('error', () => endless('other').once('data', second.open).pipe(res)).pipe(res)
      })
      const socket = await left.raw(GET)
      await second.opened
      socket.destroy()
      await expectEnded(left, 'settle')
    })
  })

  it('a connection that is used again keeps nothing of the calls before', async () => {
    const counts = new Set<string>()
    const rig = app((req, res) => {
      const { socket } = req
      counts.add(socket.eventNames().map((name) => `${String(name)} ${socket.listenerCount(name)}`).join())
      res.write('some')
      res.end()
    })
    for (let i = 0; i < 15; i++) await rig.call('GET /run')
    expect(await rig.charges()).toHaveLength(15)
    expect(counts.size).toBe(1)
  })

  it('requests that are sent all at once are each settled, also when their caller leaves', async () => {
    const rig = app((req, res) => {
      if (req.query['kind'] === 'json') res.json({ n: 1 })
      else res.end(res.write('some') ? 'more' : '')
    })
    const socket = await rig.raw(Array.from({ length: 20 }, (_, i) => `GET /run?kind=${i % 2 ? 'json' : 'stream'} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''))
    let read = ''
    socket.on('data', (chunk) => {
      read += String(chunk)
    })
    await expect.poll(() => read.match(/HTTP\/1\.1 200/g)?.length).toBe(20)
    expect(await rig.charges()).toHaveLength(20)
    socket.write(GET.repeat(20))
    await once(socket, 'data')
    socket.resetAndDestroy()
    await expect.poll(() => rig.reserved()).toBe(0)
  })

  it('400 callers that leave at any moment have each call settled once', async () => {
    const random = seeded(20_250_711)
    const names = ['json', 'whole', ...Object.keys(streams)]
    const keys = names.flatMap((name) => Object.keys(policies).map((policy) => ({ path: `/${name.replaceAll(' ', '-')}/${policy}`, name, policy })))
    const rig = open({ prices: Object.fromEntries(keys.map(({ path, policy }) => [`POST ${path}`, { product: 'p', price: 3, charge: () => 2, onAbort: policy }])) as never })
    rig.app.use(rig.bill)
    for (const { path, name } of keys) {
      rig.app.post(path, async (_req, res) => {
        await pause(random() * 8)
        if (name === 'json') res.json({ text: 'x'.repeat(random() * 20_000) })
        else if (name === 'whole') res.end('x'.repeat(random() * 20_000))
        else streams[name]!(res, Readable.from(some(random)).on('error', (error) => res.destroy(error)))
      })
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 80 })
    const port = await rig.port()
    await Promise.all(Array.from({ length: 400 }, async (_, i) => {
      const sending = request({ port, host: '127.0.0.1', method: 'POST', path: keys[i % keys.length]!.path, agent }).on('error', () => {})
      const moment = random()
      sending.end()
      const response = once(sending, 'response').then(([response]) => response as Readable).catch(() => undefined)
      if (moment < 0.6) await response
      if (moment < 0.2) return (await response)?.on('error', () => {}).resume()
      await pause(random() * 12)
      ;(await Promise.race([response, undefined]))?.on('error', () => {})
      return sending.destroy()
    }))
    await vi.waitFor(async () => expect([await rig.reserved(), rig.store.ended.size]).toEqual([0, rig.store.reserved.size]), { timeout: 10_000 })
    agent.destroy()
    expect(rig.store.reserved.size).toBeGreaterThan(200)
    expect([...rig.store.ended.values()].filter((endings) => endings.length !== 1)).toEqual([])
    const settled = [...rig.store.ended.values()].filter(([ending]) => ending === 'settle')
    expect(await rig.charges()).toHaveLength(settled.length)
    // It is a test only where calls ended in both ways.
    expect(settled.length).toBeGreaterThan(60)
    expect(rig.store.ended.size - settled.length).toBeGreaterThan(20)
  })
})

function latch() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

function endless(text = 'data: x\n\n'): Readable {
  return Readable.from((async function* () {
    for (;;) {
      yield text
      await pause(5)
    }
  })())
}

function failing(): Readable {
  return Readable.from((async function* () {
    yield 'some'
    await pause(1)
    throw new Error('broken')
  })())
}

async function* some(random: () => number) {
  for (let i = 0; i < 4; i++) {
    yield `data: ${'x'.repeat(1 + random() * 2_000)}\n\n`
    await pause(random() * 4)
    if (random() < 0.05) throw new Error('broken')
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, ms) })
}

/** A linear congruential generator: numbers from 0 to 1, the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
