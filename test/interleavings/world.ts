import { createEngine, type Call, type Engine, type Exchange } from '@farebox/core/adapter'
import { vi } from 'vitest'
import { plain } from '../model/plain.js'
import { Net } from './net.js'

/** What may happen, besides what the calls do by themselves. */
export interface Scenario {
  /** Of one account. A process of its own for each, unless two name the same; a key is what makes calls one. */
  readonly calls: readonly { readonly process: string; readonly key?: string; readonly fails?: boolean }[]
  /** Credits. */
  readonly allowance: number
  readonly topUp?: number
  /** How many commands lose their reply or come late, processes die, and pauses pass, all in all. */
  readonly mishaps: number
}

const PRICE = 5
export const CHARGE = 3
const TTL = 60_000
const START = 20_000 * 86_400_000

/** When an ending that did not reach the store is told again. */
const RETRY = 100

/** Until the next timer that sends something; until a reservation has ended; until the store has forgotten how it ended. */
const PAUSES = { tick: 0, outage: TTL + 1, 'long outage': 2 * TTL + 60_001 }

const MISHAPS = new Set(['lose-reply', 'delay', 'crash', 'pause'])

/** A call, as far as it has come. */
export interface Run {
  readonly process: string
  readonly key: string
  readonly fails: boolean
  state: 'idle' | 'asked' | 'running' | 'ending' | 'ended' | 'refused' | 'replayed' | 'dead'
  /** Whether its handler was let run, and has come to its end; what its credits are held under. */
  ran: boolean
  ended: boolean
  reservation: string
  exchange?: Exchange
}

/** Processes with the real billing in them, one account, and a clock: all of it stands still unless it is told to go on. */
export class World {
  readonly net: Net
  readonly runs: readonly Run[]
  readonly errors: string[] = []
  /** Under which reservation the last call was let in. */
  #admitted = ''
  readonly #engines = new Map<string, Engine<unknown>>()
  readonly #left: { mishaps: number; topUps: number }

  constructor(readonly scenario: Scenario) {
    vi.clearAllTimers()
    vi.setSystemTime(START)
    this.net = new Net(() => Date.now())
    this.#left = { mishaps: scenario.mishaps, topUps: scenario.topUp ? 1 : 0 }
    this.runs = scenario.calls.map(({ process, key = '', fails = false }) => ({ process, key, fails, state: 'idle', ran: false, ended: false, reservation: '' }))
    for (const { process } of this.runs) {
      if (!this.#engines.has(process)) this.#engines.set(process, this.#boot(process))
      this.net.seen.set(process, [])
    }
  }

  /** Everything that can happen next. */
  actions(): string[] {
    const { mishaps, topUps } = this.#left
    const { flights } = this.net
    const sent = [...flights.keys()].sort()
    const waiting = sent.filter((id) => !this.net.isOrphan(id))
    const orphans = sent.filter((id) => this.net.isOrphan(id))
    const working = [...this.#engines.keys()].filter((process) => this.#works(process))
    return [
      ...waiting.map((id) => `arrive ${id}`),
      ...this.runs.flatMap(({ state }, i) => (state === 'running' ? [`end ${i}`] : [])),
      // Of calls that are alike the first one starts first: which of them it is makes no other order.
      ...this.runs.flatMap(({ state, fails }, i) => (state === 'idle' && !this.runs.slice(0, i).some((run) => run.state === 'idle' && run.fails === fails) ? [`start ${i}`] : [])),
      ...orphans.flatMap((id) => [`arrive ${id}`, `drop ${id}`]),
      ...(mishaps > 0 ? waiting.flatMap((id) => [`lose-reply ${id}`, `delay ${id}`]) : []),
      ...(topUps > 0 ? ['top-up'] : []),
      ...(mishaps > 0 ? working.map((process) => `crash ${process}`) : []),
      ...(mishaps > 0 && (working.length > 0 || orphans.length > 0) ? Object.keys(PAUSES).map((pause) => `pause ${pause}`) : []),
    ]
  }

  async act(action: string): Promise<void> {
    const [, verb, what] = action.match(/^(\S+) ?(.*)$/) as unknown as [string, string, string]
    if (MISHAPS.has(verb)) this.#left.mishaps--
    switch (verb) {
      case 'start': this.#start(this.runs[Number(what)]!); break
      case 'end': this.#end(this.runs[Number(what)]!); break
      case 'arrive': this.net.arrive(what); break
      case 'drop': this.net.drop(what); break
      case 'lose-reply': this.net.loseReply(what); break
      case 'delay': this.net.delay(what); break
      case 'crash': this.#crash(what); break
      case 'top-up': this.#topUp(); break
      case 'pause': await this.#pause(what as keyof typeof PAUSES); break
    }
    await settled()
  }

  /** Two worlds with the same key go on in the same way. */
  key(): string {
    const { net } = this
    return JSON.stringify([
      plain(net.state, Date.now(), false), Date.now(), this.#left, this.runs.map(({ state }) => state), [...net.seen],
      [...net.flights.values()].map(({ id, command, sender }) => [id, command, !sender]).sort(),
    ])
  }

  /** Nothing fails any more, and time passes: until nothing is on its way and every deadline is long over. */
  async rest(): Promise<void> {
    this.net.mode = 'healthy'
    for (const id of this.net.flights.keys()) this.net.arrive(id)
    for (let i = 0; i < 8; i++) {
      await settled()
      vi.advanceTimersByTime(5_000)
    }
    await settled()
    vi.setSystemTime(Date.now() + 10 * TTL)
    await this.net.storeOf('auditor').send({ kind: 'balance', account: 'ada' })
  }

  #boot(process: string): Engine<unknown> {
    const logger = { warn: () => {}, error: (message: string) => void this.errors.push(message) }
    const prices = { 'POST /run': { product: 'runs', price: PRICE, charge: () => CHARGE } }
    // That a command takes too long is told by the explorer, and not by a clock.
    const on = { admitted: ({ reservation }: { reservation: string }) => void (this.#admitted = reservation) }
    return createEngine({ on, account: () => 'ada', store: this.net.storeOf(process), allowance: this.scenario.allowance, prices, logger, reservationTtl: TTL, storeTimeout: 2_000_000_000 })
  }

  #start(run: Run): void {
    const engine = this.#engines.get(run.process)!
    ids.process = run.process
    this.net.noteOf(run.process, 'start')
    run.state = 'asked'
    run.exchange = engine.exchange()
    void run.exchange.enter(engine.prices.find('POST', '/run'), callOf(run.key), false).then((answer) => {
      if (run.state === 'dead') return
      if (answer) run.state = answer.headers['Idempotent-Replayed'] ? 'replayed' : 'refused'
      else Object.assign(run, { state: 'running', ran: true, reservation: this.#admitted })
    })
  }

  #end(run: Run): void {
    this.net.noteOf(run.process, 'end')
    run.state = 'ending'
    run.ended = true
    const whole = () => ({ headers: { 'content-type': 'application/json' }, body: '{}' })
    void run.exchange!.close({ status: run.fails ? 500 : 200, json: '{}', whole }).then(() => {
      if (run.state === 'ending') run.state = 'ended'
    })
  }

  #crash(process: string): void {
    this.net.kill(process)
    for (const run of this.runs) if (run.process === process) run.state = 'dead'
  }

  /** Who pays it in tells the store again when it did not hear. */
  #topUp(): void {
    this.#left.topUps--
    const amount = this.scenario.topUp! * 1_000_000
    const send = () => this.net.storeOf('till').send({ kind: 'grant', account: 'ada', grant: 'g1', amount, reason: 'top-up', source: 'top-up', priority: 50, expiresAt: 0 })
    void send().catch(send).catch(() => {})
  }

  async #pause(pause: keyof typeof PAUSES): Promise<void> {
    const sent = new Set(this.net.flights.keys())
    if (pause === 'tick') {
      for (const ms of [RETRY, TTL / 3 - RETRY]) {
        if ([...this.net.flights.keys()].some((id) => !sent.has(id))) break
        vi.advanceTimersByTime(ms)
        await settled()
      }
    } else {
      this.net.mode = 'cut'
      const until = Date.now() + PAUSES[pause]
      for (; Date.now() < until; await settled()) vi.advanceTimersByTime(Math.min(TTL / 3, until - Date.now()))
      this.net.mode = 'waits'
    }
    this.net.note(`${Date.now()}`)
  }

  #works(process: string): boolean {
    return this.net.keeps(process) || this.runs.some((run) => run.process === process && isUnderWay(run))
  }
}

function isUnderWay({ state }: Run): boolean {
  return state === 'asked' || state === 'running' || state === 'ending'
}

/** Whose reservation ids are made now. */
export const ids = { process: '' }

/** Until nothing goes on by itself any more. */
export function settled(): Promise<void> {
  return new Promise((resolve) => { setImmediate(resolve) })
}

function callOf(key: string): Call {
  return {
    url: '/run', params: {}, query: () => ({}), request: {},
    header: (name) => (name === 'idempotency-key' && key !== '' ? key : undefined),
    body: () => Promise.resolve({ kind: 'parsed', value: {} }),
  }
}
