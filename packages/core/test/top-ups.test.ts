import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TopUps } from '../src/billing/thresholds/top-ups.js'
import type { AutoTopUp, TopUpNeed } from '../src/billing/options.js'
import { memoryStore } from '../src/store/memory.js'
import type { Store } from '../src/store/store.js'
import { never, recordingLogger, scriptedStore } from './open-call.js'
import { setUp } from './requests.js'

const MINUTE = 60_000

function buying(topUp: AutoTopUp['topUp'], store: Store = memoryStore()) {
  const asked: TopUpNeed[] = []
  const { logger, errors } = recordingLogger()
  let closing = false
  const topUps = new TopUps({ store, storeTimeout: 1_000, logger }, { below: 5, topUp: (need) => {
    asked.push(need)
    return topUp(need)
  } }, () => closing)
  const entries = async () => (await store.send({ kind: 'entries', account: 'ada', after: '', limit: 10 })).entries
  return { topUps, asked, errors, entries, close: () => { closing = true } }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a top-up', () => {
  it.each<[string, AutoTopUp['topUp']]>([['at once', () => 50.5], ['later', async () => 50.5]])('asks for the credits that are bought, and grants them under its id: %s', async (_, topUp) => {
    const { topUps, asked, entries, errors } = buying(topUp)
    await topUps.run('ada', 7, 4_500_000)
    expect(asked).toEqual([{ account: 'ada', id: 'ada/auto-top-up:7', balance: 4.5 }])
    expect(await entries()).toMatchObject([{ kind: 'grant', amount: 50_500_000, reference: 'auto-top-up:7', label: 'auto top-up', lots: [{ source: 'top-up', priority: 50, expiresAt: 0 }] }])
    expect(errors).toEqual([])
  })

  it('has an id that no other account\'s has, fit for a header', async () => {
    const { topUps, asked } = buying(() => 0)
    for (const account of ['ada', 'bob', 'a/b', 'é 1']) await topUps.run(account, 1, 0)
    expect(asked.map(({ id }) => id)).toEqual(['ada/auto-top-up:1', 'bob/auto-top-up:1', 'a%2Fb/auto-top-up:1', '%C3%A9%201/auto-top-up:1'])
  })

  it('that is begun twice grants its credits once', async () => {
    const { topUps, entries, errors } = buying(() => 50)
    await Promise.all([topUps.run('ada', 1, 0), topUps.run('ada', 1, 0)])
    expect((await entries()).map(({ amount }) => amount)).toEqual([50_000_000])
    expect(errors).toEqual([])
  })

  it('of 0 has ended too: its id is taken, without an entry', async () => {
    const { store, sent } = scriptedStore(() => ({ kind: 'granted', amount: 0, replayed: false, balance: 0, reserved: 0, available: 0 }))
    const { topUps, errors } = buying(() => 0, store)
    await topUps.run('ada', 3, 0)
    expect(sent.map(({ command }) => command)).toEqual([{ kind: 'grant', account: 'ada', grant: 'auto-top-up:3', amount: 0, reason: 'auto top-up', source: 'top-up', priority: 50, expiresAt: 0 }])
    expect(errors).toEqual([])
  })

  it.each<[string, AutoTopUp['topUp']]>([['throws', () => { throw new Error('declined') }], ['rejects', () => Promise.reject(new Error('declined'))]])('that %s grants nothing and is logged', async (_, topUp) => {
    const { topUps, entries, errors } = buying(topUp)
    await topUps.run('ada', 2, 0)
    expect(await entries()).toEqual([])
    expect(errors).toEqual(['farebox: the top-up auto-top-up:2 of account "ada" failed; it is begun again under the same id after 300000 ms'])
  })

  it.each([undefined, null, NaN, -1, Infinity, 1e10, '50', { credits: 50 }])('that returns %s grants nothing and is logged', async (credits) => {
    const { store, sent } = scriptedStore(() => Promise.reject(new Error('not asked')))
    const { topUps, errors } = buying(() => credits as number, store)
    await topUps.run('ada', 2, 0)
    expect(sent).toEqual([])
    expect(errors).toEqual([`farebox: the top-up auto-top-up:2 of account "ada" returned ${String(credits)}: expected credits from 0 to 9007199254.740992`])
  })

  it('whose id has brought other credits grants nothing more and is logged', async () => {
    let credits = 50
    const { topUps, entries, errors } = buying(() => credits)
    await topUps.run('ada', 1, 0)
    credits = 60
    await topUps.run('ada', 1, 0)
    expect((await entries()).map(({ amount }) => amount)).toEqual([50_000_000])
    expect(errors).toEqual(['farebox: the top-up auto-top-up:1 of account "ada": its 60 credits were not granted: grant_conflict'])
  })

  it('that is too much to be counted is logged', async () => {
    const { topUps, errors } = buying(() => 5e9)
    await topUps.run('ada', 1, 0)
    await topUps.run('ada', 2, 0)
    expect(errors).toEqual([expect.stringContaining('auto-top-up:2 of account "ada": its 5000000000 credits were not granted: grant_overflow')])
  })
})

describe('while the store is away', () => {
  const away = () => {
    const inner = memoryStore()
    let fault: 'fails' | 'hangs' | 'loses' | undefined
    const { store, sent } = scriptedStore(async (command) => {
      if (fault === 'fails') throw new Error('lost')
      if (fault === 'hangs') return never
      const reply = await inner.send(command)
      if (fault === 'loses') throw new Error('lost')
      return reply
    })
    return { store, sent, set: (to: typeof fault) => { fault = to } }
  }

  it.each(['fails', 'hangs', 'loses'] as const)('what was bought is granted as soon as it is back, once, and bought once: it %s', async (how) => {
    const { store, set, sent } = away()
    set(how)
    const { topUps, entries, asked, errors } = buying(() => 50, store)
    const done = topUps.run('ada', 1, 0)
    await vi.advanceTimersByTimeAsync(10 * MINUTE)
    expect(sent.length).toBeGreaterThan(90)
    set(undefined)
    await vi.advanceTimersByTimeAsync(5_000)
    await done
    expect((await entries()).map(({ amount, reference }) => [amount, reference])).toEqual([[50_000_000, 'auto-top-up:1']])
    expect(asked).toHaveLength(1)
    expect(errors).toEqual([])
  })

  it('closing gives it one more try, then logs what was bought', async () => {
    const { store, set, sent } = away()
    set('fails')
    const { topUps, close, errors } = buying(() => 50, store)
    const done = topUps.run('ada', 1, 0)
    close()
    await vi.advanceTimersByTimeAsync(100)
    await done
    expect(sent).toHaveLength(2)
    expect(errors).toEqual([expect.stringContaining('the top-up auto-top-up:1 of account "ada" failed')])
  })

  it('the log says how many credits', async () => {
    const { store, set } = away()
    set('fails')
    const error = vi.fn()
    const topUps = new TopUps({ store, storeTimeout: 1_000, logger: { warn: () => {}, error } }, { below: 5, topUp: () => 50 }, () => true)
    const done = topUps.run('ada', 1, 0)
    await vi.advanceTimersByTimeAsync(100)
    await done
    expect(error).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ message: 'its 50 credits could not be posted' }))
  })
})

describe('an account that stays low', () => {
  const run = async (topUp: (need: TopUpNeed) => number | Promise<number>) => {
    let now = Date.UTC(2026, 2, 3)
    const asked: string[] = []
    const at = setUp({ prices: { 'POST /run': { product: 'runs', price: 5 } }, allowance: 1, autoTopUp: { below: 5, topUp: (need: TopUpNeed) => {
      asked.push(need.id)
      return topUp(need)
    } } }, memoryStore({ now: () => now }))
    const call = async (after: number) => {
      now += after
      const { answer, exchange } = await at.enter('POST /run')
      if (!answer) await exchange.close({ status: 200 })
      await vi.advanceTimersByTimeAsync(0)
      return answer?.status ?? 200
    }
    return { ...at, call, asked }
  }

  it('is topped up again after 5 minutes under the same id while nobody knows what became of it', async () => {
    const { call, asked } = await run(() => { throw new Error('no') })
    for (const after of [0, 1, 299_998, 1, 299_999, 1]) expect(await call(after)).toBe(402)
    expect(asked).toEqual(Array.from({ length: 3 }, () => 'ada/auto-top-up:1'))
  })

  it('and under a new one where it has ended with nothing', async () => {
    const { call, asked } = await run(() => 0)
    for (const after of [0, 299_999, 1]) expect(await call(after)).toBe(402)
    expect(asked).toEqual(['ada/auto-top-up:1', 'ada/auto-top-up:2'])
  })

  it('can call on when it was topped up, and is topped up when it is low again', async () => {
    const { call, asked, standing } = await run(() => 10)
    expect([await call(0), await call(0)]).toEqual([402, 200])
    expect(await standing()).toEqual({ balance: 6, reserved: 0 })
    expect(await call(0)).toBe(200)
    expect(asked).toEqual(['ada/auto-top-up:1', 'ada/auto-top-up:2'])
    expect(await standing()).toEqual({ balance: 11, reserved: 0 })
  })
})
