import { identify } from '../billing/account.js'
import type { Call } from '../billing/call.js'
import { toCredits } from '../credits.js'
import { withDeadline } from '../billing/deadline.js'
import type { Settings } from '../billing/options.js'
import type { Command, ReplyTo } from '../store/commands.js'
import type { Store } from '../store/store.js'
import { answer, jsonAnswer, type Answer } from './answer.js'
import { refusalOf } from './refusals.js'
import { usageSummary } from './usage-summary.js'

/** An endpoint that billing adds to the app. */
interface Endpoint {
  readonly method: 'GET' | 'POST'
  readonly path: string
  answer(call: Pick<Call, 'account' | 'header'>): Promise<Answer>
}

export interface Endpoints {
  readonly all: readonly Endpoint[]
  /** The endpoint at this path, which is relative to where billing is mounted. */
  find(method: string, path: string): Endpoint | undefined
}

/** The endpoints that are turned on. All are free and show an account to itself only. */
export function endpoints(settings: Settings<never>): Endpoints {
  const { balance, usageSummary: summary } = settings.endpoints
  const all: Endpoint[] = []
  if (balance) {
    all.push({ method: 'GET', path: balance, answer: read(settings, async (ask, account) => {
      const { balance, reserved, available } = await ask({ kind: 'balance', account })
      return { balance: toCredits(balance), reserved: toCredits(reserved), available: toCredits(available) }
    }) })
  }
  if (summary) {
    all.push({ method: 'POST', path: summary, answer: read(settings, async (ask, account) => usageSummary(await ask({ kind: 'usage', account }))) })
  }
  return {
    all,
    find: (method, path) => all.find((endpoint) => endpoint.path === path && (endpoint.method === method || (endpoint.method === 'GET' && method === 'HEAD'))),
  }
}

type Read = (ask: Store['send'], account: string) => Promise<unknown>

function read({ store, storeTimeout, logger }: Settings<never>, body: Read): Endpoint['answer'] {
  const ask = <C extends Command>(command: C): Promise<ReplyTo<C>> => withDeadline(store.send(command), storeTimeout)
  return async (call) => {
    const accept = call.header('accept')
    const who = identify(await call.account())
    if (who.kind === 'nobody') return answer(refusalOf({ kind: 'unauthenticated', reason: who.reason }), accept)
    try {
      return jsonAnswer(200, await body(ask, who.account))
    } catch (error) {
      logger.error('farebox: the store could not be read', error)
      return answer(refusalOf({ kind: 'unavailable' }), accept)
    }
  }
}
