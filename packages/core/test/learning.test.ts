import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest'
import { redisStore } from '../../redis/src/index.js'
import { Learning } from '../src/billing/learning/learning.js'
import type { Observation } from '../src/billing/learning/counters.js'
import { bucketOf } from '../src/billing/learning/latency.js'
import type { Command } from '../src/store/commands.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { never, scriptedStore } from './open-call.js'
import { distributions, seeded } from './workload.js'

const ROUTE = 'POST /v1/run/:id'
const seen: Observation = { durationMs: 10, ceiling: 4_000_000, charge: 1_000_000, accepted: false }

const learningBy = (store: Store) => new Learning(store, 1_000)
function observe(learning: Learning, times: number, over: Partial<Observation> = {}, route = ROUTE): void {
  for (let i = 0; i < times; i++) learning.observe(route, { ...seen, ...over })
}
function counting(answer: (command: Command) => unknown = () => ({ kind: 'counted' })) {
  const { store, sent } = scriptedStore(answer as never)
  return { learning: learningBy(store), sent, counts: () => sent.map(({ command }) => (command as { counts: Record<string, number> }).counts) }
}
/** As many as were counted, over all that was sent. */
const callsIn = (counts: Record<string, number>[]) => counts.flatMap((of) => Object.entries(of)).reduce((sum, [name, count]) => sum + (name.startsWith('ms:') ? count : 0), 0)

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('after 1,000 calls of a known distribution', () => {
  it.each(distributions)('$name: both percentiles are in the bucket that the sorted calls say, and within one of the true ones', async ({ draw, p10, p90 }) => {
    const learning = learningBy(memoryStore())
    const random = seeded(20_261_122)
    const latencies = Array.from({ length: 1_000 }, () => draw(random))
    for (const durationMs of latencies) observe(learning, 1, { durationMs })
    const { lowMs, highMs } = (await learning.read(ROUTE))!
    const sorted = latencies.sort((a, b) => a - b)
    expect([lowMs, highMs].map(bucketOf)).toEqual([sorted[99]!, sorted[899]!].map(bucketOf))
    expect(Math.abs(bucketOf(lowMs) - bucketOf(p10))).toBeLessThanOrEqual(1)
    expect(Math.abs(bucketOf(highMs) - bucketOf(p90))).toBeLessThanOrEqual(1)
  })

  it.each([
    ['any part of the price', 0.5, (random: () => number) => random()],
    ['a little of the price', 0.02, (random: () => number) => 0.04 * random()],
    ['all of it or next to nothing', 0.307, (random: () => number) => (random() < 0.3 ? 1 : 0.01)],
    ['always the price', 1, () => 1],
    ['never anything', 0, () => 0],
  ])('the ratio of calls that cost %s is within 5 %% of %s', async (_, mean, draw) => {
    const learning = learningBy(memoryStore())
    const random = seeded(7)
    for (let i = 0; i < 1_000; i++) {
      const ceiling = 1_000_000 * (1 + Math.floor(50 * random()))
      observe(learning, 1, { ceiling, charge: Math.floor(ceiling * draw(random)) })
    }
    const { ratio } = (await learning.read(ROUTE))!
    expect(Math.abs(ratio! - mean)).toBeLessThanOrEqual(mean * 0.05)
  })
})

describe.each([
  ['memory', () => memoryStore()],
  ['Redis', () => redisStore(inject('redisUrl'), { prefix: crypto.randomUUID() })],
])('three processes over one store in %s', (_, open) => {
  it('learn what one alone would have', async () => {
    const store = open()
    const together = [learningBy(store), learningBy(store), learningBy(store)]
    const alone = learningBy(memoryStore())
    const random = seeded(3)
    for (let i = 0; i < 900; i++) {
      const call = { durationMs: 2_000 * random() ** 4, ceiling: i % 10 === 0 ? 0 : 3_000_000, charge: i % 10 === 0 ? 0 : Math.floor(3_000_000 * random()), accepted: random() < 0.4 }
      together[i % 3]!.observe(ROUTE, call)
      alone.observe(ROUTE, call)
    }
    await Promise.all(together.map((learning) => learning.close()))
    const expected = await alone.read(ROUTE)
    expect(expected).toMatchObject({ accepted: false, ratio: expect.closeTo(0.5, 1) as number })
    for (const learning of together) expect(await learning.read(ROUTE)).toEqual(expected)
    expect(await together[0]!.read('POST /other')).toBeUndefined()
    await store.close()
  })
})

describe('what it says', () => {
  it('nothing before 20 calls', async () => {
    const learning = learningBy(memoryStore())
    observe(learning, 19)
    expect(await learning.read(ROUTE)).toBeUndefined()
    observe(learning, 1)
    expect(await learning.read(ROUTE)).toEqual({ ratio: 0.25, accepted: false, lowMs: expect.closeTo(10, 0) as number, highMs: expect.closeTo(10, 0) as number })
  })

  it('no ratio before 20 calls that had a price: those at nothing count for their latency only', async () => {
    const learning = learningBy(memoryStore())
    observe(learning, 100, { ceiling: 0, charge: 0 })
    observe(learning, 19)
    expect(await learning.read(ROUTE)).toMatchObject({ ratio: undefined })
    observe(learning, 1)
    expect(await learning.read(ROUTE)).toMatchObject({ ratio: 0.25 })
  })

  it('whether most were accepted; half of them is not most', async () => {
    const learning = learningBy(memoryStore())
    observe(learning, 10)
    observe(learning, 10, { accepted: true })
    expect(await learning.read(ROUTE)).toMatchObject({ accepted: false })
    observe(learning, 1, { accepted: true })
    expect(await learning.read(ROUTE)).toMatchObject({ accepted: true })
  })

  it('nothing older than two weeks', async () => {
    let now = 0
    const learning = learningBy(memoryStore({ now: () => now }))
    observe(learning, 20)
    expect(await learning.read(ROUTE)).toBeDefined()
    now = 14 * 86_400_000
    expect(await learning.read(ROUTE)).toBeUndefined()
  })

  it('each route by itself, whatever its key is', async () => {
    const learning = learningBy(memoryStore())
    observe(learning, 20, {}, 'GET /__proto__')
    observe(learning, 20, { charge: 0 }, 'GET /a b\n{c}')
    expect(await learning.read('GET /__proto__')).toMatchObject({ ratio: 0.25 })
    expect(await learning.read('GET /a b\n{c}')).toMatchObject({ ratio: 0 })
  })

  it('that the store can\'t be reached, in time', async () => {
    vi.useFakeTimers()
    await expect(counting(() => Promise.reject(new Error('lost'))).learning.read(ROUTE)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    const hanging = counting(() => never).learning
    observe(hanging, 1)
    const [read] = await Promise.allSettled([hanging.read(ROUTE), vi.advanceTimersByTimeAsync(1_000)])
    expect(read).toMatchObject({ reason: { code: 'STORE_UNAVAILABLE' } })
  })
})

describe('on the way of a call', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  it('nothing but counting: the store is asked nothing, and a second later once a route', async () => {
    const { learning, sent } = counting()
    for (let i = 0; i < 1_000; i++) expect(learning.observe(`GET /${i % 3}`, seen)).toBeUndefined()
    await vi.advanceTimersByTimeAsync(999)
    expect(sent).toEqual([])
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(sent.map(({ command }) => command)).toEqual([0, 1, 2].map((i) => ({
      kind: 'count', name: `GET /${i}`, counts: { [`ms:${bucketOf(10)}`]: i === 0 ? 334 : 333, priced: i === 0 ? 334 : 333, ratio: i === 0 ? 83_500_000 : 83_250_000 },
    })))
  })

  it('there is a timer only while something waits, and it does not keep the process alive', async () => {
    const { learning } = counting()
    expect(vi.getTimerCount()).toBe(0)
    observe(learning, 5)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    const set = vi.spyOn(globalThis, 'setTimeout')
    observe(learning, 1)
    expect((set.mock.results[0]!.value as NodeJS.Timeout).hasRef()).toBe(false)
    set.mockRestore()
    await learning.close()
  })

  it('what it keeps is bounded, whatever happens', () => {
    const { learning, sent } = counting()
    const random = seeded(5)
    for (let i = 0; i < 20_000; i++) observe(learning, 1, { durationMs: 10 ** (12 * random() - 1), accepted: random() < 0.5, charge: Math.floor(4_000_000 * random()) })
    void learning.close()
    expect(sent).toEqual([])
    return Promise.resolve().then(() => expect(Object.keys((sent[0]!.command as { counts: object }).counts).length).toBeLessThanOrEqual(133))
  })

  it('on workerd every call sends its own, and sets no timer', async () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    let hangs = true
    const { learning, sent } = counting(() => (hangs ? never : { kind: 'counted' }))
    observe(learning, 1)
    hangs = false
    observe(learning, 1)
    expect(sent).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
    await learning.close()
  })
})

describe('a store that can\'t be reached', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  it('is sent again what it has not taken, with what came since', async () => {
    let lost = true
    const { learning, counts } = counting(() => (lost ? Promise.reject(new Error('lost')) : { kind: 'counted' }))
    observe(learning, 3)
    await vi.advanceTimersByTimeAsync(1_000)
    observe(learning, 4)
    await vi.advanceTimersByTimeAsync(1_000)
    lost = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(counts().map((of) => callsIn([of]))).toEqual([3, 7, 7])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('keeps what it failed on only', async () => {
    let lost = true
    const { learning, sent } = counting((command) => (lost && (command as { name: string }).name === 'GET /b' ? Promise.reject(new Error('lost')) : { kind: 'counted' }))
    observe(learning, 1, {}, 'GET /a')
    observe(learning, 1, {}, 'GET /b')
    await vi.advanceTimersByTimeAsync(1_000)
    lost = false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(sent.map(({ command }) => (command as { name: string }).name)).toEqual(['GET /a', 'GET /b', 'GET /b'])
  })

  it('that hangs is sent nothing more until it answers, and nothing is lost', async () => {
    let answer: (() => void) | undefined
    const { learning, counts } = counting(() => (answer ? { kind: 'counted' } : new Promise((resolve) => { answer = () => resolve({ kind: 'counted' }) })))
    for (let i = 0; i < 10; i++) {
      observe(learning, 1)
      await vi.advanceTimersByTimeAsync(1_000)
    }
    expect(counts()).toHaveLength(1)
    answer!()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(counts().map((of) => callsIn([of]))).toEqual([1, 9])
  })
})

describe('closing', () => {
  it('sends what waits, and waits for it', async () => {
    const store = memoryStore()
    const learning = learningBy(store)
    observe(learning, 20)
    await learning.close()
    expect(callsIn([(await store.send({ kind: 'counts', name: ROUTE })).counts])).toBe(20)
  })

  it('takes no longer than the store may', async () => {
    vi.useFakeTimers()
    const { learning } = counting(() => never)
    observe(learning, 1)
    const closed = vi.fn()
    void learning.close().then(closed)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(closed).toHaveBeenCalled()
  })

  it('leaves no timer, and none comes of calls that end later', async () => {
    vi.useFakeTimers()
    const [idle, busy] = [counting().learning, counting().learning]
    observe(busy, 1)
    await Promise.all([idle.close(), busy.close()])
    for (const learning of [idle, busy]) observe(learning, 1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not fail with the store', async () => {
    const { learning } = counting(() => Promise.reject(new Error('lost')))
    observe(learning, 1)
    await expect(learning.close()).resolves.toBeUndefined()
  })
})
