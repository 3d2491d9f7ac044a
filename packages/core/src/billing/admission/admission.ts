import { toCredits } from '../../credits.js'
import type { Replayed, Reserved, Replies } from '../../ledger/commands.js'
import type { Call, Idempotency, OpenCall } from '../call/call.js'
import { CallMeter } from '../call/call-meter.js'
import { withDeadline } from '../deadline.js'
import type { Watcher } from '../thresholds/watcher.js'
import { allowanceOf } from './allowance.js'
import { idempotencyOf, unkeyed } from './idempotency.js'
import type { Settings } from '../options.js'
import { Quoter, type Quote } from './quoting.js'
import { budgetRemedyOf, remedyOf } from './remedy.js'
import { reservationIds } from './reservation-id.js'
import type { Route } from '../prices/route.js'
import { detailsOf } from '../settlement/entry-details.js'
import { ok, refuse, type Step } from './step.js'

export type Admission =
  | Extract<Step<never>, { kind: 'refused' }>
  | { readonly kind: 'admitted'; readonly open: OpenCall }
  /** The call has been made: this is what it answered. */
  | { readonly kind: 'replayed'; readonly replayed: Replayed }

/** Decides whether a call may run: quote, then reserve. Nothing is held unless it may. */
export class Admitter {
  readonly #allowance: ReturnType<typeof allowanceOf>
  readonly #quoter: Quoter
  readonly #nextId = reservationIds()

  constructor(private readonly settings: Settings<never>, private readonly watcher: Watcher) {
    this.#allowance = allowanceOf(settings)
    this.#quoter = new Quoter(settings)
  }

  async admit(key: string, route: Route, call: Call): Promise<Admission> {
    const quoted = await this.#quoter.quote(key, route, call)
    if (quoted.kind === 'refused') return quoted
    const { account, body, ceiling, limits: { budgets } } = quoted.value
    const allowed = this.#quoter.withinPlan(quoted.value)
    if (allowed.kind === 'refused') return allowed
    // Nobody is refused while billing only watches, so nobody's key is held against them either.
    const keyed = this.settings.enforce ? await idempotencyOf(key, call) : ok(unkeyed)
    if (keyed.kind === 'refused') return keyed
    const reservation = this.#nextId()
    const reply = await this.#reserve(quoted.value, reservation, keyed.value)
    if (!reply) return refuse({ kind: 'unavailable' })
    if (reply.kind === 'replayed') return { kind: 'replayed', replayed: reply }
    if (reply.kind !== 'reserved') return this.#refuse(reply, route, call, quoted.value)
    const meter = new CallMeter(toCredits(ceiling), route.rates ?? {})
    const { reservedAt } = reply
    const scopes = budgets.map(({ scope, window }) => ({ scope, window }))
    const details = detailsOf(call, this.settings.priceBookVersion)
    return { kind: 'admitted', open: { route, key, account, reservation, ceiling, reservedAt, startedAt: performance.now(), call, body, meter, idempotency: keyed.value, budgets: scopes, details } }
  }

  /** Fails fast and closed: a store that does not answer lets nobody in. */
  async #reserve({ account, ceiling, limits: { budgets } }: Quote, reservation: string, { key, payload }: Idempotency): Promise<Replies['reserve'] | undefined> {
    const { store, storeTimeout, reservationTtl, logger } = this.settings
    try {
      const sent = store.send({
        kind: 'reserve', account, reservation, ceiling, ...this.#allowance, ...(budgets.length > 0 && { budgets }), ttlMs: reservationTtl, key, payload,
      })
      return await withDeadline(sent, storeTimeout)
    } catch (error) {
      logger.error(`farebox: could not reserve: ${(error as Error).message}`, error)
      // It may still arrive: closing the id gives the credits back at once, else they come back at the deadline.
      void store.send({ kind: 'release', account, reservation, key }).catch(() => {})
      return undefined
    }
  }

  async #refuse(reply: Exclude<Replies['reserve'], Reserved | Replayed>, route: Route, call: Call, quote: Quote): Promise<Admission> {
    switch (reply.kind) {
      case 'insufficient':
        // Its credits may have ended since anybody looked.
        this.watcher.look(quote.account)
        return refuse({ ...reply, remedy: await remedyOf(reply, route, call, quote) })
      case 'over_budget': {
        const limit = quote.limits.budgets[reply.budget]!
        return refuse({ ...reply, limit, remedy: await budgetRemedyOf(reply, limit, route, call, quote) })
      }
      case 'conflict': return refuse({ kind: 'unavailable' })
      case 'in_progress':
      case 'mismatch': return refuse({ kind: reply.kind })
    }
  }
}
