import { toCredits, toMicro } from '../../credits.js'
import type { Replayed, Reserved, Replies } from '../../ledger/commands.js'
import type { Call, Idempotency, OpenCall } from '../call/call.js'
import { CallMeter } from '../call/call-meter.js'
import { withDeadline } from '../deadline.js'
import { idempotencyOf, unkeyed } from './idempotency.js'
import type { Settings } from '../options.js'
import { Quoter, type Quote } from './quoting.js'
import { remedyOf } from './remedy.js'
import { reservationIds } from './reservation-id.js'
import type { Route } from '../prices/route.js'
import { ok, refuse, type Step } from './step.js'

export type Admission =
  | Extract<Step<never>, { kind: 'refused' }>
  | { readonly kind: 'admitted'; readonly open: OpenCall }
  /** The call has been made: this is what it answered. */
  | { readonly kind: 'replayed'; readonly replayed: Replayed }

/** Decides whether a call may run: quote, then reserve. Nothing is held unless it may. */
export class Admitter {
  readonly #allowance: number
  readonly #quoter: Quoter
  readonly #nextId = reservationIds()

  constructor(private readonly settings: Settings<never>) {
    this.#allowance = toMicro(settings.allowance) ?? 0
    this.#quoter = new Quoter(settings)
  }

  async admit(key: string, route: Route, call: Call): Promise<Admission> {
    const quoted = await this.#quoter.quote(key, route, call)
    if (quoted.kind === 'refused') return quoted
    const { account, body, ceiling } = quoted.value
    const allowed = this.#quoter.withinPlan(ceiling)
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
    return { kind: 'admitted', open: { route, key, account, reservation, ceiling, reservedAt, startedAt: performance.now(), call, body, meter, idempotency: keyed.value } }
  }

  /** Fails fast and closed: a store that does not answer lets nobody in. */
  async #reserve({ account, ceiling }: Quote, reservation: string, { key, payload }: Idempotency): Promise<Replies['reserve'] | undefined> {
    const { store, storeTimeout, reservationTtl, logger } = this.settings
    try {
      const sent = store.send({ kind: 'reserve', account, reservation, ceiling, allowance: this.#allowance, ttlMs: reservationTtl, key, payload })
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
      case 'insufficient': return refuse({ ...reply, remedy: await remedyOf(reply, route, call, quote) })
      case 'over_budget': throw new Error('soon')
      case 'conflict': return refuse({ kind: 'unavailable' })
      case 'in_progress':
      case 'mismatch': return refuse({ kind: reply.kind })
    }
  }
}
