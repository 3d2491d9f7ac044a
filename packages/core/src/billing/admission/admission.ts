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
import type { Unreserved } from './unreserved.js'

/** What becomes of a call when the store does not say whether it is covered. */
type Unanswered = { readonly kind: 'unreserved' } | { readonly kind: 'unavailable' }

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
  #lastReserved: Pick<OpenCall, 'reservedAt' | 'startedAt'> | undefined

  constructor(private readonly settings: Settings<never>, private readonly watcher: Watcher, private readonly unreserved: Unreserved) {
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
    if (reply.kind === 'unavailable') return refuse(reply)
    if (reply.kind === 'replayed') return { kind: 'replayed', replayed: reply }
    if (reply.kind !== 'reserved' && reply.kind !== 'unreserved') return this.#refuse(reply, route, call, quoted.value)
    const meter = new CallMeter(toCredits(ceiling), route.rates ?? {})
    const reserved = reply.kind === 'reserved'
    const startedAt = performance.now()
    const reservedAt = reserved ? reply.reservedAt : this.#storeTimeAt(startedAt)
    if (reserved) this.#lastReserved = { reservedAt, startedAt }
    const scopes = budgets.map(({ scope, window }) => ({ scope, window }))
    const details = detailsOf(call, this.settings.priceBookVersion)
    const open = { route, key, account, reservation, ceiling, reserved, reservedAt, startedAt, call, body, meter, idempotency: keyed.value, budgets: scopes, details }
    return { kind: 'admitted', open }
  }

  /** Fails fast and closed: a store that does not answer lets nobody in beyond what is allowed. */
  async #reserve({ account, ceiling, limits: { budgets } }: Quote, reservation: string, { key, payload }: Idempotency): Promise<Replies['reserve'] | Unanswered> {
    const { store, storeTimeout, reservationTtl, logger } = this.settings
    try {
      const sent = store.send({
        kind: 'reserve', account, reservation, ceiling, ...this.#allowance, ...(budgets.length > 0 && { budgets }), ttlMs: reservationTtl, key, payload,
      })
      return await withDeadline(sent, storeTimeout)
    } catch (error) {
      logger.error(`farebox: could not reserve: ${(error as Error).message}`, error)
      // Whether its key has been used can't be told either. Should the reserve still arrive, the call is settled under the same id.
      if (key === '' && this.unreserved.admit(reservation, ceiling)) return { kind: 'unreserved' }
      // It may still arrive: closing the id gives the credits back at once, else they come back at the deadline.
      void store.send({ kind: 'release', account, reservation, key }).catch(() => {})
      return { kind: 'unavailable' }
    }
  }

  /** As far as it can be told from when it last answered; a settle that was first sent too long ago asks the journal. */
  #storeTimeAt(moment: number): number {
    const { reservedAt, startedAt } = this.#lastReserved ?? { reservedAt: 0, startedAt: moment }
    return reservedAt + moment - startedAt
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
