import type { Release, Settle } from '../ledger/commands.js'
import type { OpenCall, Receipt } from './call.js'
import { chargeContext } from './context.js'
import { toCredits } from '../credits.js'
import type { Settings } from './options.js'
import type { Outcome } from './outcome.js'
import type { Postings } from './postings.js'
import { chargeOf } from './pricing.js'
import type { ChargeItem } from './route.js'

interface Charge {
  readonly micro: number
  readonly items: readonly ChargeItem[]
}

/** Ends calls: decides what each cost and posts it. */
export interface Settler {
  settle(open: OpenCall, outcome: Outcome): Promise<Receipt>
  release(open: OpenCall): Promise<Receipt>
}

export function settler({ logger }: Settings<never>, postings: Postings): Settler {
  /** A failed call costs nothing; a success what its route says, never more than the ceiling. */
  async function charge(open: OpenCall, outcome: Extract<Outcome, { kind: 'succeeded' }>): Promise<Charge> {
    const amount = await chargeOf(open.route, chargeContext(open, outcome), open.ceiling)
    if (amount.kind === 'broken') {
      // The work was done and its cost can't be told: the price that the caller agreed to, not a free call.
      logger.error(`farebox: ${open.key} has no valid charge, its price is taken: ${amount.reason}`, amount.cause)
      return { micro: open.ceiling, items: [] }
    }
    if (amount.micro > open.ceiling) {
      logger.warn(`farebox: ${open.key} cost ${toCredits(amount.micro)} credits, clamped to its price of ${toCredits(open.ceiling)}`)
      return { micro: open.ceiling, items: amount.items }
    }
    return amount
  }

  async function post(open: OpenCall, { micro, items }: Charge, command: Settle | Release): Promise<Receipt> {
    const { ceiling } = open
    const posting = await postings.post(open, command)
    if (posting.kind === 'kept') return { charge: micro, ceiling, items, pending: true }
    const { charge, available } = posting.closed
    return { charge, ceiling, items, available, pending: false }
  }

  const nothing: Charge = { micro: 0, items: [] }

  return {
    async settle(open, outcome) {
      if (outcome.kind === 'failed') return this.release(open)
      const cost = await charge(open, outcome)
      const { account, reservation, ceiling, reservedAt, startedAt } = open
      const firstSentAt = Math.floor(reservedAt + performance.now() - startedAt)
      return post(open, cost, { kind: 'settle', account, reservation, ceiling, charge: cost.micro, product: open.route.product, firstSentAt })
    },
    release: (open) => post(open, nothing, { kind: 'release', account: open.account, reservation: open.reservation }),
  }
}
