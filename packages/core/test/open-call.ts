import type { OpenCall } from '../src/billing/call/call.js'
import { CallMeter } from '../src/billing/call/call-meter.js'
import { Emitter, type Events, type Listeners } from '../src/billing/events.js'
import { unkeyed } from '../src/billing/admission/idempotency.js'
import type { Logger } from '../src/billing/logger.js'
import type { Command, ReplyTo } from '../src/store/commands.js'
import type { Store } from '../src/store/store.js'

/** A call of 5 credits that is being handled, begun now. */
export function openCall(over: Partial<OpenCall> = {}): OpenCall {
  return {
    route: { product: 'runs', price: 5 }, key: 'POST /run', account: 'ada', reservation: 'r1', ceiling: 5_000_000, reserved: true, reservedAt: 1_000_000, startedAt: performance.now(),
    call: { url: '/run', params: {}, query: () => ({}), header: () => undefined, request: {}, body: () => Promise.resolve({ kind: 'parsed', value: undefined }) },
    body: undefined, meter: new CallMeter(5, {}), idempotency: unkeyed, budgets: [], details: {}, ...over,
  }
}

type Reply = ReplyTo<Command>

/** A store that answers as it is told and writes down what it was sent, and when. */
export function scriptedStore(answer: (command: Command) => Reply | Promise<Reply>) {
  const sent: { readonly at: number; readonly command: Command }[] = []
  const store: Store = {
    name: 'scripted',
    durable: true,
    send: async (command) => {
      sent.push({ at: performance.now(), command })
      return (await answer(command)) as never
    },
    close: () => Promise.resolve(),
  }
  return { store, sent }
}

export function recordingLogger() {
  const warnings: string[] = []
  const errors: string[] = []
  const logger: Logger = { warn: (message) => warnings.push(message), error: (message) => errors.push(message) }
  return { logger, warnings, errors }
}

const EVENTS = ['admitted', 'refused', 'settled', 'released', 'expired', 'clamped', 'late', 'shortfall', 'threshold', 'unlisted'] as const

/** Listeners of everything, and what they were told. */
export function recordingEvents(logger: Logger = recordingLogger().logger) {
  const told: ({ readonly name: keyof Events } & Record<string, unknown>)[] = []
  const on = Object.fromEntries(EVENTS.map((name) => [name, (event: object) => void told.push({ name, ...event })])) as Listeners
  return { on, told, events: new Emitter(on, logger), names: () => told.map(({ name }) => name) }
}

export const never = new Promise<never>(() => {})
