import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { parseOptions } from '../src/billing/parse-options.js'
import { Watcher } from '../src/billing/thresholds/watcher.js'
import type { Crossing, Watch, Watched } from '../src/ledger/commands.js'
import type { Command } from '../src/store/commands.js'
import { memoryStore } from '../src/store/memory.js'
import { never, recordingEvents, recordingLogger, scriptedStore } from './open-call.js'
import { call, setUp } from './requests.js'

const onThreshold = [{ below: 20 }, { used: 0.8 }]
const watched = (...crossed: Crossing[]): Watched => ({ kind: 'watched', crossed, balance: 15_000_000, reserved: 1_000_000, available: 14_000_000 })
const failing = () => Promise.reject(new Error('lost'))

function watching(answer: (command: Watch) => Watched | Promise<Watched>, options: object = { onThreshold }) {
  const { store, sent } = scriptedStore((command: Command) => answer(command as Watch))
  const { logger, errors } = recordingLogger()
  const { events, told } = recordingEvents(logger)
  const watcher = new Watcher(parseOptions({ account: () => 'ada', store, logger, ...options }), events)
  const commands = () => sent.map(({ command }) => command as Watch)
  return { watcher, sent, commands, told, errors }
}

/** What is on its way has arrived. */
const arrival = () => vi.advanceTimersByTimeAsync(0)

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('a look at an account', () => {
  it('asks for all thresholds at once, in micro-credits and millionths', async () => {
    const autoTopUp = { below: 2.5, topUp: () => 0 }
    const { watcher, commands } = watching(() => watched(), { onThreshold: [{ below: 0.0000015 }, ...onThreshold, { used: 0.1 + 0.2 }, { used: 0.000001 }, { used: 1 }], autoTopUp })
    watcher.look('ada')
    await arrival()
    expect(commands()).toEqual([{
      kind: 'watch', account: 'ada', watch: expect.stringMatching(/./) as string,
      thresholds: [
        { kind: 'below', amount: 2 }, { kind: 'below', amount: 20_000_000 }, { kind: 'used', millionths: 800_000 }, { kind: 'used', millionths: 300_000 },
        { kind: 'used', millionths: 1 }, { kind: 'used', millionths: 1_000_000 }, { kind: 'top_up', amount: 2_500_000, retryMs: 300_000 },
      ],
    }])
  })

  it('costs nothing without thresholds', async () => {
    const { watcher, sent } = watching(() => watched(), {})
    watcher.look('ada')
    await arrival()
    expect(sent).toEqual([])
  })

  it('tells each threshold that the store says was passed, with how the account stands', async () => {
    const { watcher, told } = watching(() => watched({ threshold: 0, number: 1 }, { threshold: 1, number: 4 }))
    watcher.look('ada')
    await arrival()
    expect(told).toEqual([
      { name: 'threshold', account: 'ada', balance: 15, available: 14, below: 20 },
      { name: 'threshold', account: 'ada', balance: 15, available: 14, used: 0.8 },
    ])
  })

  it('begins the top-up that the store names, and says the balance', async () => {
    const topUp = vi.fn(() => 0)
    const { watcher } = watching((command) => (command.kind === 'watch' ? watched({ threshold: 2, number: 6 }) : { kind: 'granted' } as never), { onThreshold, autoTopUp: { below: 5, topUp } })
    watcher.look('ada')
    await arrival()
    expect(topUp.mock.calls).toEqual([[{ account: 'ada', id: 'ada/auto-top-up:6', balance: 15 }]])
  })

  it('has an id of its own each time', async () => {
    const { watcher, commands } = watching(() => watched())
    for (let i = 0; i < 3; i++) {
      watcher.look('ada')
      await arrival()
    }
    expect(new Set(commands().map(({ watch }) => watch)).size).toBe(3)
  })
})

describe('what happens while an account is looked at', () => {
  /** A store that answers when it is told to. */
  function slow() {
    const answers: ((reply: Watched) => void)[] = []
    const at = watching(() => new Promise((resolve) => { answers.push(resolve) }))
    return { ...at, answer: async (i: number) => {
      answers[i]!(watched())
      await arrival()
    } }
  }

  it('is looked at once more, however much it was', async () => {
    const { watcher, sent, answer } = slow()
    for (let i = 0; i < 100; i++) watcher.look('ada')
    await arrival()
    expect(sent).toHaveLength(1)
    await answer(0)
    expect(sent).toHaveLength(2)
    for (let i = 0; i < 100; i++) watcher.look('ada')
    await answer(1)
    expect(sent).toHaveLength(3)
    await answer(2)
    expect(sent).toHaveLength(3)
    watcher.look('ada')
    await arrival()
    expect(sent).toHaveLength(4)
  })

  it('does not concern another account', async () => {
    const { watcher, commands } = slow()
    for (const account of ['ada', 'bob', 'ada', 'bob']) watcher.look(account)
    await arrival()
    expect(commands().map(({ account }) => account)).toEqual(['ada', 'bob'])
  })

  it('is looked at by each by itself on workerd, which cuts off what a request began', async () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    const { watcher, sent } = slow()
    for (let i = 0; i < 3; i++) watcher.look('ada')
    await arrival()
    expect(sent).toHaveLength(3)
  })
})

describe('a store that is away', () => {
  it('is asked the same again, further and further apart, until it answers; what it says is told once', async () => {
    let away = true
    const { watcher, sent, commands, told, errors } = watching(() => (away ? failing() : watched({ threshold: 0, number: 1 })))
    watcher.look('ada')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(sent.slice(1).map(({ at }, i) => Math.round(at - sent[i]!.at))).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
    away = false
    await vi.advanceTimersByTimeAsync(60_000)
    for (const command of commands()) expect(command).toEqual(commands()[0])
    expect(told).toEqual([expect.objectContaining({ name: 'threshold', below: 20 })])
    expect(errors).toEqual([])
  })

  it('is asked again when it does not answer in time', async () => {
    let hangs = true
    const { watcher, commands, told } = watching(() => (hangs ? never : watched({ threshold: 1, number: 1 })), { onThreshold, storeTimeout: 50 })
    watcher.look('ada')
    await vi.advanceTimersByTimeAsync(49)
    hangs = false
    await vi.advanceTimersByTimeAsync(100)
    expect(commands()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(commands()).toHaveLength(2)
    expect(commands()[1]).toEqual(commands()[0])
    expect(told).toHaveLength(1)
  })
})

describe('drain', () => {
  const drained = (watcher: Watcher) => {
    const done = vi.fn()
    void watcher.drain().then(done)
    return done
  }

  it('has nothing to wait for when nobody looks', async () => {
    await expect(watching(() => watched()).watcher.drain()).resolves.toBeUndefined()
  })

  it('waits until what was seen is told', async () => {
    let away = true
    const { watcher, told } = watching(() => (away ? failing() : watched({ threshold: 0, number: 1 })))
    watcher.look('ada')
    await vi.advanceTimersByTimeAsync(250)
    const done = drained(watcher)
    away = false
    await vi.advanceTimersByTimeAsync(49)
    expect(done).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(done).toHaveBeenCalled()
    expect(told).toHaveLength(1)
  })

  it('waits for a top-up', async () => {
    let pay = (_credits: number) => {}
    const { watcher } = watching((command) => (command.kind === 'watch' ? watched({ threshold: 0, number: 1 }) : { kind: 'granted' } as never), {
      autoTopUp: { below: 5, topUp: () => new Promise<number>((resolve) => { pay = resolve }) },
    })
    watcher.look('ada')
    await arrival()
    const done = drained(watcher)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(done).not.toHaveBeenCalled()
    pay(5)
    await arrival()
    expect(done).toHaveBeenCalled()
  })

  it('gives a store that is away one more try, then logs whose thresholds nobody has looked at', async () => {
    const { watcher, sent, errors, told } = watching(failing)
    watcher.look('ada')
    await arrival()
    const done = drained(watcher)
    await vi.advanceTimersByTimeAsync(100)
    expect(done).toHaveBeenCalled()
    expect(sent).toHaveLength(2)
    expect(told).toEqual([])
    expect(errors).toEqual(['farebox: the thresholds of account "ada" could not be looked at'])
  })
})

describe('an account is looked at after everything that may have lowered its balance', () => {
  const prices = { 'POST /run': { product: 'runs', price: 5 }, 'POST /operation': { product: 'operations', price: 5, operation: () => 'op1' } }
  const account = async (options: object = {}) => {
    let now = Date.UTC(2026, 2, 3)
    const at = setUp({ prices, onThreshold: [{ below: 8 }], ...options }, memoryStore({ now: () => now }))
    const thresholds = async () => {
      await vi.advanceTimersByTimeAsync(0)
      return at.told.filter(({ name }) => name === 'threshold').map(({ balance }) => balance)
    }
    // A threshold is passed by a balance that was seen above it.
    const first = await at.enter('POST /run')
    await first.exchange.close({ status: 500 })
    expect(await thresholds()).toEqual([])
    return { ...at, thresholds, pass: (ms: number) => { now += ms } }
  }

  it('a charge', async () => {
    const { enter, thresholds } = await account()
    await (await enter('POST /run')).exchange.close({ status: 200 })
    expect(await thresholds()).toEqual([5])
  })

  it('a call that failed: what it held has ended meanwhile', async () => {
    const { engine, enter, thresholds, pass } = await account({ allowance: 2 })
    await engine.billing.grant('ada', 10, { id: 'g', reason: 'promotion', expiresAt: Date.UTC(2026, 2, 3) + 1_000 })
    const { exchange } = await enter('POST /run')
    await exchange.close({ status: 500 })
    expect(await thresholds()).toEqual([])
    const held = await enter('POST /run')
    pass(1_000)
    await held.exchange.close({ status: 500 })
    expect(await thresholds()).toEqual([2])
  })

  it('a call that the account can\'t cover: its credits have ended', async () => {
    const { engine, enter, thresholds, pass } = await account({ allowance: 2 })
    await engine.billing.grant('ada', 10, { id: 'g', reason: 'promotion', expiresAt: Date.UTC(2026, 2, 3) + 1_000 })
    await (await enter('POST /run')).exchange.close({ status: 500 })
    pass(1_000)
    expect((await enter('POST /run')).answer).toMatchObject({ status: 402 })
    expect(await thresholds()).toEqual([2])
  })

  it('an operation that succeeds', async () => {
    const { engine, enter, thresholds } = await account()
    await (await enter('POST /operation', call())).exchange.close({ status: 202 })
    expect(await thresholds()).toEqual([])
    await engine.billing.operations.succeed('op1')
    expect(await thresholds()).toEqual([5])
  })

  it('an operation that fails: what it held has ended meanwhile', async () => {
    const { engine, enter, thresholds, pass } = await account({ allowance: 2 })
    await engine.billing.grant('ada', 10, { id: 'g', reason: 'promotion', expiresAt: Date.UTC(2026, 2, 3) + 1_000 })
    await (await enter('POST /operation')).exchange.close({ status: 500 })
    await (await enter('POST /operation')).exchange.close({ status: 202 })
    pass(1_000)
    expect(await thresholds()).toEqual([])
    await engine.billing.operations.fail('op1')
    expect(await thresholds()).toEqual([2])
  })
})
