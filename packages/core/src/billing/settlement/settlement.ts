import { toCredits } from '../../credits.js'
import type { Closed, Release, Settle } from '../../ledger/commands.js'
import type { OpenCall, Receipt } from '../call/call.js'
import { chargeContext } from '../prices/context.js'
import { callEvent, type Emitter } from '../events.js'
import { operationOf } from '../operations/operation-id.js'
import type { Learning } from '../learning/learning.js'
import type { Logger } from '../logger.js'
import type { Outcome, Succeeded } from '../call/outcome.js'
import { placeOf } from '../operations/place.js'
import { entryDetails } from './entry-details.js'
import type { Postings } from './postings.js'
import { chargeOf } from '../prices/pricing.js'
import { MAX_DURATION_MS, type ChargeItem } from '../prices/route.js'

interface Cost {
  readonly micro: number
  readonly items: readonly ChargeItem[]
}

const nothing: Cost = { micro: 0, items: [] }

/** Ends calls: decides what each cost, never more than its ceiling, and posts it. */
export class Settler {
  constructor(private readonly postings: Postings, private readonly events: Emitter, private readonly learning: Learning, private readonly logger: Logger) {}

  /**
   * A failed call costs nothing, a success what its route says, and one that began an operation nothing yet. Never
   * rejects.
   *
   * @param response what to answer to whoever uses the call's idempotency key again, `''` for nothing
   */
  async settle(open: OpenCall, outcome: Outcome, response: string): Promise<Receipt> {
    if (outcome.kind === 'failed') return this.release(open)
    const operation = operationOf(open, outcome)
    if (operation.kind === 'begun') {
      const held = await this.#hold(open, operation.id, response)
      if (held) return held
    }
    if (operation.kind === 'broken') this.logger.error(`farebox: ${open.key} answered 202, but ${operation.reason}: its price is taken`, operation.cause)
    const cost = operation.kind === 'none' ? await this.#cost(open, outcome) : this.#ceiling(open)
    return this.#charge(open, cost, response)
  }

  /** Takes the ceiling of a call whose client has left. */
  async settleAtCeiling(open: OpenCall): Promise<Receipt> {
    return this.#charge(open, this.#ceiling(open), '')
  }

  async release(open: OpenCall): Promise<Receipt> {
    const receipt = await this.#post(open, nothing, { kind: 'release', account: open.account, reservation: open.reservation, key: open.idempotency.key })
    this.events.emit('released', { ...callEvent(open), durationMs: durationOf(open), pending: receipt.pending })
    return receipt
  }

  #ceiling({ ceiling }: OpenCall): Cost {
    return { micro: ceiling, items: [] }
  }

  async #cost(open: OpenCall, outcome: Succeeded): Promise<Cost> {
    const { key, route, ceiling } = open
    const amount = await chargeOf(route, chargeContext(open, outcome), ceiling)
    if (amount.kind === 'broken') {
      // The work was done and what it cost can't be told: the price that the caller agreed to, not a free call.
      this.logger.error(`farebox: ${key} has no valid charge, its price is taken: ${amount.reason}`, amount.cause)
      return this.#ceiling(open)
    }
    if (amount.micro > ceiling) {
      this.events.clamped(callEvent(open), toCredits(amount.micro))
      return { micro: ceiling, items: amount.items }
    }
    return amount
  }

  async #charge(open: OpenCall, cost: Cost, response: string): Promise<Receipt> {
    const { account, reservation, ceiling, reservedAt, startedAt, route: { product }, idempotency, budgets, details } = open
    const firstSentAt = Math.floor(reservedAt + performance.now() - startedAt)
    const receipt = await this.#post(open, cost, {
      kind: 'settle', account, reservation, ceiling, charge: cost.micro, product, firstSentAt, ...entryDetails(details, cost.items),
      ...(budgets.length > 0 && { budgets }), ...idempotency, response,
    })
    const { charge, items, pending } = receipt
    const durationMs = durationOf(open)
    this.learning.observe(open.key, { durationMs, ceiling, charge, accepted: false })
    this.events.emit('settled', { ...callEvent(open), product, charge: toCredits(charge), items, durationMs, pending })
    return receipt
  }

  async #post(open: OpenCall, { micro, items }: Cost, command: Settle | Release): Promise<Receipt> {
    const { ceiling } = open
    const posting = await this.postings.post(open, command)
    if (posting.kind === 'kept') return { charge: micro, ceiling, items, pending: true, operation: false }
    const { charge, available } = posting.ended as Closed
    return { charge, ceiling, items, available, pending: false, operation: false }
  }

  /** Keeps the credits set aside for an operation. `undefined` where its id is another's: then nothing could ever finish it. */
  async #hold(open: OpenCall, operation: string, response: string): Promise<Receipt | undefined> {
    const { account, reservation, ceiling, route: { product, maxDuration = MAX_DURATION_MS }, idempotency } = open
    const posting = await this.postings.post(open, {
      kind: 'hold', account, reservation, operation, ceiling, product, ttlMs: maxDuration, ...idempotency, response, place: placeOf(open),
    })
    if (posting.kind === 'posted' && posting.ended.kind === 'operation_conflict') {
      this.logger.error(`farebox: ${open.key} answered 202 with the operation ${JSON.stringify(operation)}, which is another call's: its price is taken`)
      return undefined
    }
    return { charge: 0, ceiling, items: [], pending: true, operation: true, ...(posting.kind === 'posted' && { available: posting.ended.available }) }
  }
}

function durationOf({ startedAt }: OpenCall): number {
  return performance.now() - startedAt
}
