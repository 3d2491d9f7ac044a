import { toCredits } from '../../credits.js'
import type { Replies } from '../../ledger/commands.js'
import { checkAccount, checkCredits, checkId, checkReason } from './arguments.js'
import { entryDetails } from '../settlement/entry-details.js'
import { confirmed, standingOf, type Confirming, type Standing } from './confirmed.js'
import { findCharge } from './find-charge.js'

/** What became of a refund. */
export interface RefundOutcome extends Standing {
  readonly kind: Replies['refund']['kind']
  /** Whether an earlier refund with this id had done it already. */
  readonly replayed: boolean
  /** Credits that were given back. */
  readonly refunded: number
}

export interface RefundOptions {
  /** The same id again gives nothing back. */
  readonly id: string
  readonly reason: string
  /** How much. Default: all that is left of the charge. */
  readonly credits?: number
}

export async function refund(settings: Confirming, account: string, reservation: string, { id, reason, credits }: RefundOptions): Promise<RefundOutcome> {
  checkAccount(account)
  checkId(id)
  checkReason('reservation', reservation)
  checkReason('reason', reason)
  const amount = credits === undefined ? 0 : checkCredits(credits)
  const charge = await findCharge((command) => confirmed(settings, `refund ${id}`, command), account, reservation)
  const reply = await confirmed(settings, `refund ${id}`, { kind: 'refund', account, refund: id, reservation, entry: charge?.id ?? '', amount, reason, ...entryDetails({ refundId: id }, []) })
  const done = reply.kind === 'refunded'
  return { kind: reply.kind, replayed: done && reply.replayed, refunded: done ? toCredits(reply.amount) : 0, ...standingOf(reply) }
}
