import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fareboxFetch } from '../src/index.js'
import { sleep } from '../src/pause.js'
import { ok, refusal, scripted, timeless, type Received, type Step } from './scripted-server.js'

const POST: RequestInit = { method: 'POST', body: '{}' }
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/
const keysOf = (received: readonly Received[]) => received.map(({ headers }) => headers['idempotency-key'])
const busy = (retryAfter?: string): Step => refusal(503, 'BILLING_UNAVAILABLE', {}, retryAfter === undefined ? {} : { 'Retry-After': retryAfter })

describe('the key', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s has one, the same in every attempt', async (method) => {
    const { url, received } = await scripted(
      busy('1'), 'hang_up', refusal(409, 'IDEMPOTENCY_IN_PROGRESS', {}, { 'Retry-After': '1' }),
      refusal(402, 'PAYMENT_REQUIRED', { required: 2, available: 1, reserved: 1, remedy: 'retry' }, { 'Retry-After': '1' }), ok,
    )
    expect(await fareboxFetch(url, { method }, timeless().options)).toMatchObject({ kind: 'response', response: { status: 200 } })
    expect(received).toHaveLength(5)
    expect(received[0]!.headers['idempotency-key']).toMatch(UUID)
    expect(new Set(keysOf(received)).size).toBe(1)
  })

  it('another call has another key', async () => {
    const { url, received } = await scripted(ok, ok)
    await fareboxFetch(url, POST)
    await fareboxFetch(url, POST)
    expect(new Set(keysOf(received)).size).toBe(2)
  })

  it("the caller's own is kept, in every attempt", async () => {
    const { url, received } = await scripted('hang_up', busy(), ok)
    await fareboxFetch(url, { ...POST, headers: { 'idempotency-key': 'order-17' } }, timeless().options)
    expect(keysOf(received)).toEqual(['order-17', 'order-17', 'order-17'])
  })

  it.each(['GET', 'HEAD', 'OPTIONS'])('%s gets none', async (method) => {
    const { url, received } = await scripted({ status: 204 })
    await fareboxFetch(url, { method })
    expect(keysOf(received)).toEqual([undefined])
  })
})

describe('the network', () => {
  it('a call that it lost is sent again, under its key', async () => {
    const { url, received } = await scripted('hang_up', 'hang_up', ok)
    const { pauses, options } = timeless()
    expect(await fareboxFetch(url, POST, options)).toMatchObject({ kind: 'response', response: { status: 200 } })
    expect(received).toHaveLength(3)
    expect(pauses).toHaveLength(2)
  })

  it('throws what fetch threw when attempts are used up', async () => {
    const { url, received } = await scripted(...Array.from({ length: 6 }, () => 'hang_up' as const))
    await expect(fareboxFetch(url, POST, timeless().options)).rejects.toThrow(new TypeError('fetch failed'))
    expect(received).toHaveLength(5)
  })

  it('a GET without a key is not sent again: it may be billed, and may have been done', async () => {
    const { url, received } = await scripted('hang_up', ok)
    await expect(fareboxFetch(url, {}, timeless().options)).rejects.toThrow('fetch failed')
    expect(received).toHaveLength(1)
  })

  it('a GET with a key is', async () => {
    const { url, received } = await scripted('hang_up', ok)
    expect(await fareboxFetch(url, { headers: { 'Idempotency-Key': 'k' } }, timeless().options)).toMatchObject({ kind: 'response' })
    expect(received).toHaveLength(2)
  })

  it('a refusal whose body breaks off is a call that it lost', async () => {
    const { url, received } = await scripted('break_off', ok)
    expect(await fareboxFetch(url, POST, timeless().options)).toMatchObject({ kind: 'response', response: { status: 200 } })
    expect(received).toHaveLength(2)
  })
})

describe('pauses', () => {
  it('Retry-After may be a date (RFC 9110)', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1, 12) })
    try {
      const { url } = await scripted(busy('Thu, 01 Jan 2026 12:00:20 GMT'), busy('Thu, 01 Jan 2026 11:00:00 GMT'), ok)
      const { pauses, options } = timeless()
      await fareboxFetch(url, POST, options)
      expect(pauses[0]).toBe(20_000)
      expect(pauses[1]).toBeGreaterThanOrEqual(1000)
    } finally {
      vi.useRealTimers()
    }
  })

  it.each([undefined, '0', 'soon'])('with Retry-After %s they double, and vary by half', async (retryAfter) => {
    const { url } = await scripted(...Array.from({ length: 5 }, () => busy(retryAfter)))
    const { pauses, options } = timeless()
    await fareboxFetch(url, POST, options)
    expect(pauses).toHaveLength(4)
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThan(500 * 2 ** i)
      expect(pause).toBeLessThanOrEqual(1000 * 2 ** i)
    }
    expect(new Set(pauses.map((pause, i) => pause / 2 ** i)).size).toBeGreaterThan(1)
  })

  it('they double beyond a Retry-After that stays short, and are never shorter', async () => {
    const { url } = await scripted(...Array.from({ length: 5 }, () => busy('3')))
    const { pauses, options } = timeless()
    await fareboxFetch(url, POST, options)
    expect(pauses.slice(0, 2)).toEqual([3000, 3000])
    expect(pauses[2]).toBeGreaterThanOrEqual(3000)
    expect(pauses[3]).toBeGreaterThan(4000)
  })

  it('no more attempts than `attempts`', async () => {
    const { url, received } = await scripted(busy(), busy(), busy())
    expect(await fareboxFetch(url, POST, timeless({ attempts: 2 }).options)).toMatchObject({ kind: 'refused' })
    expect(received).toHaveLength(2)
  })

  it('together no longer than `maxWait`: what would be longer is not begun', async () => {
    const { url, received } = await scripted(busy('30'), busy('30'), busy('30'))
    const { pauses, options } = timeless()
    expect(await fareboxFetch(url, POST, options)).toMatchObject({ kind: 'refused', refusal: { retryAfterMs: 30_000 } })
    expect(pauses).toEqual([30_000, 30_000])
    expect(received).toHaveLength(3)

    const impatient = timeless({ maxWait: 29_999 })
    const other = await scripted(busy('30'))
    expect(await fareboxFetch(other.url, POST, impatient.options)).toMatchObject({ kind: 'refused' })
    expect(impatient.pauses).toEqual([])
  })
})

describe('the timer', () => {
  beforeEach(() => { vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }) })
  afterEach(() => { vi.useRealTimers() })

  /** Has begun its first pause, of 50 s, with the timer that is there by default. */
  async function pausing() {
    const answers = [Response.json({ error: { code: 'BILLING_UNAVAILABLE', message: 'no' } }, { status: 503, headers: { 'Retry-After': '50' } }), new Response('done')]
    const gone = new AbortController()
    const sending = fareboxFetch('https://api.test/run', { ...POST, signal: gone.signal }, { fetch: async () => answers.shift()! })
    while (vi.getTimerCount() === 0) await setImmediate()
    return { sending, gone }
  }

  it('ends the pause when it is over, not before', async () => {
    const { sending } = await pausing()
    vi.advanceTimersByTime(49_999)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(1)
    expect(await sending).toMatchObject({ kind: 'response', response: { status: 200 } })
  })

  it('is stopped at once when the signal aborts', async () => {
    const { sending, gone } = await pausing()
    gone.abort(new Error('the user left'))
    await expect(sending).rejects.toThrow('the user left')
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the signal', () => {
  /** Real pauses, and a promise that one has begun. */
  function observed() {
    let begin = () => {}
    const begun = new Promise<void>((resolve) => { begin = resolve })
    return { begun, options: { sleep: (ms: number, signal: AbortSignal) => (begin(), sleep(ms, signal)) } }
  }

  it('ends a pause at once, with its reason', async () => {
    const { url, received } = await scripted(busy('50'), ok)
    const gone = new AbortController()
    const { begun, options } = observed()
    const sending = fareboxFetch(url, { ...POST, signal: gone.signal }, options)
    await begun
    gone.abort(new Error('the user left'))
    await expect(sending).rejects.toThrow('the user left')
    expect(received).toHaveLength(1)
  })

  it("ends one as a Request's own signal, too", async () => {
    const { url, received } = await scripted(busy('50'), ok)
    const gone = new AbortController()
    const { begun, options } = observed()
    const sending = fareboxFetch(new Request(url, { ...POST, signal: gone.signal }), {}, options)
    await begun
    gone.abort()
    await expect(sending).rejects.toMatchObject({ name: 'AbortError' })
    expect(received).toHaveLength(1)
  })

  it('an attempt that it ended is not made again', async () => {
    const { pauses, options } = timeless()
    const gone = new AbortController()
    const fetch: typeof globalThis.fetch = async () => {
      gone.abort(new Error('the user left'))
      throw new Error('the user left')
    }
    await expect(fareboxFetch('https://api.test/run', { ...POST, signal: gone.signal }, { ...options, fetch })).rejects.toThrow('the user left')
    expect(pauses).toEqual([])
  })

  it('nothing is sent when it was aborted before', async () => {
    const { url, received } = await scripted(ok)
    await expect(fareboxFetch(url, { ...POST, signal: AbortSignal.abort() }, timeless().options)).rejects.toMatchObject({ name: 'AbortError' })
    expect(received).toEqual([])
  })
})
