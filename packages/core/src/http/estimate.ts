import type { Call } from '../billing/call/call.js'
import type { Learning } from '../billing/learning/learning.js'
import type { Settings } from '../billing/options.js'
import { allowanceOf } from '../billing/admission/allowance.js'
import { Quoter, type Quote } from '../billing/admission/quoting.js'
import { MAX_DURATION_MS, type Route } from '../billing/prices/route.js'
import { toCredits } from '../credits.js'
import type { Learned } from '../billing/learning/counters.js'
import { withDeadline } from '../billing/deadline.js'
import { answer, jsonAnswer, type Answer } from './answer.js'
import { refusalOf } from './refusals.js'

/** What a call is expected to cost and to take, before it is made. Amounts in credits. */
export interface Estimate {
  readonly estimatedCredits: number
  readonly estimatedMaxCredits: number
  /** Whether the call will answer 200 or 202. */
  readonly likelySyncOrAsync: 'sync' | 'async'
  /** Between which times eight of ten calls end; for an operation, until it is finished. */
  readonly expectedLatencyRange: { readonly lowMs: number; readonly highMs: number }
  readonly providersLikelyUsed: readonly string[]
  /** Whether the call would be admitted now: by the limits of its plan and budgets, and by what the account has available. */
  readonly withinPlanLimits: boolean
}

/** Answers `POST <path>/estimate` of billable routes: free, nothing is held and no handler runs. */
export class Estimates {
  readonly #quoter: Quoter

  constructor(private readonly settings: Settings<never>, private readonly learning: Learning) {
    this.#quoter = new Quoter(settings)
  }

  /** The path of the route that a request wants estimated; `undefined` where it wants none. */
  pathOf(method: string, path: string): string | undefined {
    const { estimate } = this.settings.endpoints
    return estimate && method === 'POST' && path.endsWith(estimate) && path.length > estimate.length ? path.slice(0, -estimate.length) : undefined
  }

  /** @param key the route's key in the price book */
  async answer(key: string, route: Route, call: Call): Promise<Answer> {
    const accept = call.header('accept')
    const quoted = await this.#quoter.quote(key, route, call)
    if (quoted.kind === 'refused') return answer(refusalOf(quoted.refused), accept)
    try {
      const [covered, learned] = await Promise.all([this.#covers(quoted.value), this.learning.read(key)])
      const withinPlanLimits = covered && this.#quoter.withinPlan(quoted.value).kind === 'ok'
      return jsonAnswer(200, { ...expectedOf(route, quoted.value.ceiling, learned), withinPlanLimits } satisfies Estimate)
    } catch (error) {
      this.settings.logger.error('farebox: the store could not be read', error)
      return answer(refusalOf({ kind: 'unavailable' }), accept)
    }
  }

  /** Whether the account and its budgets could spend that now; an account that is new is about to get its allowance. */
  async #covers({ account, ceiling, limits: { budgets } }: Quote): Promise<boolean> {
    const { store, storeTimeout } = this.settings
    const { available, provisioned, budgets: uses = [] } = await withDeadline(store.send({ kind: 'balance', account, budgets }), storeTimeout)
    const { allowance } = allowanceOf(this.settings)
    return ceiling <= (provisioned ? available : available + allowance) && uses.every(({ spent, held }, i) => spent + held + ceiling <= budgets[i]!.limit)
  }
}

/** What was learned; what the route declares until there is that. */
function expectedOf(route: Route, ceiling: number, learned: Learned | undefined): Omit<Estimate, 'withinPlanLimits'> {
  const { expected = {}, providers = [], operation, maxDuration = MAX_DURATION_MS } = route
  const estimatedMaxCredits = toCredits(ceiling)
  const { credits = estimatedMaxCredits, lowMs = 0, highMs = Math.max(lowMs, maxDuration) } = expected
  const { ratio, accepted } = learned ?? { ratio: undefined, accepted: operation !== undefined }
  return {
    estimatedCredits: ratio === undefined ? Math.min(credits, estimatedMaxCredits) : toCredits(Math.round(ceiling * ratio)),
    estimatedMaxCredits,
    likelySyncOrAsync: accepted ? 'async' : 'sync',
    expectedLatencyRange: { lowMs: learned?.lowMs ?? lowMs, highMs: learned?.highMs ?? highMs },
    providersLikelyUsed: providers,
  }
}
