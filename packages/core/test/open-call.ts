import type { OpenCall } from '../src/billing/call.js'
import type { Logger } from '../src/billing/options.js'
import type { Command, Reply } from '../src/ledger/commands.js'
import type { Store } from '../src/store/store.js'

/** A call of 5 credits that is being handled, begun now. */
export function openCall(over: Partial<OpenCall> = {}): OpenCall {
  return {
    route: { product: 'runs', price: 5 }, key: 'POST /run', account: 'ada', reservation: 'r1', ceiling: 5_000_000, reservedAt: 1_000_000, startedAt: performance.now(),
    call: { url: '/run', params: {}, query: () => ({}), header: () => undefined, account: () => 'ada', body: () => Promise.resolve({ kind: 'parsed', value: undefined }) },
    body: undefined, ...over,
  }
}

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

export const never = new Promise<never>(() => {})
