import { whoPays } from '../billing/admission/account.js'
import type { Call } from '../billing/call/call.js'
import { toCredits } from '../credits.js'
import { withDeadline } from '../billing/deadline.js'
import type { Settings } from '../billing/options.js'
import { ok, refuse, type Step } from '../billing/admission/step.js'
import type { Command, ReplyTo } from '../store/commands.js'
import type { Store } from '../store/store.js'
import { answer, jsonAnswer, type Answer } from './answer.js'
import { operationAnswer } from './operation-answer.js'
import { refusalOf } from './refusals.js'
import { usageSummary } from './usage-summary.js'

/** An endpoint that billing adds to the app. */
interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** May have `:id` in it. */
  readonly path: string
  answer(call: Pick<Call, 'request' | 'header'>, id: string): Promise<Answer>
}

/** An endpoint that a request is for. */
interface FoundEndpoint {
  answer(call: Pick<Call, 'request' | 'header'>): Promise<Answer>
}

export interface Endpoints {
  readonly all: readonly Pick<Endpoint, 'method' | 'path'>[]
  /** The endpoint at this path, which is relative to where billing is mounted. */
  find(method: string, path: string): FoundEndpoint | undefined
}

/** The endpoints that are turned on. All are free and show an account to itself only. */
export function endpoints(settings: Settings<never>): Endpoints {
  const paths = settings.endpoints
  const all: Endpoint[] = []
  const add = (method: Endpoint['method'], path: string | false, body: Read) => {
    if (path) all.push({ method, path, answer: read(settings, body) })
  }
  add('GET', paths.balance, async (ask, account) => {
    const { balance, reserved, available } = await ask({ kind: 'balance', account })
    return ok({ balance: toCredits(balance), reserved: toCredits(reserved), available: toCredits(available) })
  })
  add('POST', paths.usageSummary, async (ask, account) => ok(usageSummary(await ask({ kind: 'usage', account }))))
  add('GET', paths.operation, async (ask, account, operation) => {
    const found = await ask({ kind: 'operation', account, operation })
    return found.kind === 'operation' ? ok(operationAnswer(found)) : refuse({ kind: 'no_operation', operation })
  })
  return { all, find: (method, path) => find(all, method === 'HEAD' ? 'GET' : method, path) }
}

function find(all: readonly Endpoint[], method: string, path: string): FoundEndpoint | undefined {
  for (const endpoint of all) {
    const id = endpoint.method === method ? idIn(endpoint.path, path) : undefined
    if (id !== undefined) return { answer: (call) => endpoint.answer(call, id) }
  }
  return undefined
}

/** What stands where a path has `:id`, `''` where it has none; `undefined` for another path. */
function idIn(pattern: string, path: string): string | undefined {
  const [before = '', after] = pattern.split(':id')
  if (after === undefined) return path === pattern ? '' : undefined
  if (!path.startsWith(before) || !path.endsWith(after) || path.length <= before.length + after.length) return undefined
  const id = path.slice(before.length, path.length - after.length)
  try {
    return id.includes('/') ? undefined : decodeURIComponent(id)
  } catch {
    return undefined
  }
}

type Read = (ask: Store['send'], account: string, id: string) => Promise<Step<unknown>>

function read(settings: Settings<never>, body: Read): Endpoint['answer'] {
  const { store, storeTimeout, logger } = settings
  const ask = <C extends Command>(command: C): Promise<ReplyTo<C>> => withDeadline(store.send(command), storeTimeout)
  return async (call, id) => {
    const accept = call.header('accept')
    const who = await whoPays(settings, call)
    if (who.kind === 'nobody') return answer(refusalOf({ kind: 'unauthenticated', reason: who.reason }), accept)
    try {
      const found = await body(ask, who.account, id)
      return found.kind === 'ok' ? jsonAnswer(200, found.value) : answer(refusalOf(found.refused), accept)
    } catch (error) {
      logger.error('farebox: the store could not be read', error)
      return answer(refusalOf({ kind: 'unavailable' }), accept)
    }
  }
}
