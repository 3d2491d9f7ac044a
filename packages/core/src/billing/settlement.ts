import { toCredits } from '../credits.js'
import type { Release, Settle } from '../ledger/commands.js'
import type { OpenCall, Receipt } from './call.js'
import { chargeContext } from './context.js'
import type { Logger } from './options.js'
import type { Outcome } from './outcome.js'
import type { Postings } from './postings.js'
import { chargeOf } from './pricing.js'
import type { ChargeItem } from './route.js'

interface Cost {
  readonly micro: number
  readonly items: readonly ChargeItem[]
}

const nothing: Cost = { micro: 0, items: [] }

/** Ends calls: decides what each cost, never more than its ceiling, and posts it. */
export class Settler {
  constructor(private readonly postings: Postings, private readonly logger: Logger) {}

  /** A failed call costs nothing, a success what its route says. Never rejects. */
  async settle(open: OpenCall, outcome: Outcome): Promise<Receipt> {
    if (outcome.kind === 'failed') return this.release(open)
    const cost = await this.#cost(open, outcome)
    const { account, reservation, ceiling, reservedAt, startedAt } = open
    const firstSentAt = Math.floor(reservedAt + performance.now() - startedAt)
    return this.#post(open, cost, { kind: 'settle', account, reservation, ceiling, charge: cost.micro, product: open.route.product, firstSentAt, key: '', payload: '', response: '' })
  }

  async release(open: OpenCall): Promise<Receipt> {
    return this.#post(open, nothing, { kind: 'release', account: open.account, reservation: open.reservation, key: '' })
  }

  async #cost(open: OpenCall, outcome: Extract<Outcome, { kind: 'succeeded' }>): Promise<Cost> {
    const { key, route, ceiling } = open
    const amount = await chargeOf(route, chargeContext(open, outcome), ceiling)
    if (amount.kind === 'broken') {
      // The work was done and what it cost can't be told: the price that the caller agreed to, not a free call.
      this.logger.error(`farebox: ${key} has no valid charge, its price is taken: ${amount.reason}`, amount.cause)
      return { micro: ceiling, items: [] }
    }
    if (amount.micro > ceiling) {
      this.logger.warn(`farebox: ${key} cost ${toCredits(amount.micro)} credits, clamped to its price of ${toCredits(ceiling)}`)
      return { micro: ceiling, items: amount.items }
    }
    return amount
  }

  async #post(open: OpenCall, { micro, items }: Cost, command: Settle | Release): Promise<Receipt> {
    const { ceiling } = open
    const posting = await this.postings.post(open, command)
    if (posting.kind === 'kept') return { charge: micro, ceiling, items, pending: true }
    const { charge, available } = posting.closed
    return { charge, ceiling, items, available, pending: false }
  }
}
