import { DEFAULT_PRIORITY } from '../../ledger/lots.js'
import type { Replies } from '../../ledger/commands.js'
import { checkAccount, checkCredits, checkId, checkReason, checkTime, checkWhole } from './arguments.js'
import { confirmed, standingOf, type Confirming, type Standing } from './confirmed.js'

/** What became of a grant. */
export interface GrantOutcome extends Standing {
  readonly kind: Replies['grant']['kind']
  /** Whether an earlier grant with this id had done it already. */
  readonly replayed: boolean
}

export interface GrantOptions {
  /** The same id again adds nothing: the id of the payment or of the webhook's event. */
  readonly id: string
  readonly reason: string
  /** What it is: `'top-up'` (the default), `'promotion'`, whatever you report by. */
  readonly source?: string
  /** The lower, the earlier its credits are used; among the same, those that end first. Default 50, at most 1,000. */
  readonly priority?: number
  /** When what is left of it ends: a date, or ms since the epoch. Credits set aside by then are still charged. Default: never. */
  readonly expiresAt?: Date | number
}

export async function grant(settings: Confirming, account: string, credits: number, options: GrantOptions): Promise<GrantOutcome> {
  const { id, reason, source = 'top-up', priority = DEFAULT_PRIORITY, expiresAt } = options
  checkAccount(account)
  checkId(id)
  checkReason('reason', reason)
  checkReason('source', source)
  checkWhole('priority', priority, 0, 1_000)
  const reply = await confirmed(settings, `grant ${id}`, {
    kind: 'grant', account, grant: id, amount: checkCredits(credits), reason, source, priority, expiresAt: expiresAt === undefined ? 0 : checkTime('expiresAt', expiresAt),
  })
  return { kind: reply.kind, replayed: reply.kind === 'granted' && reply.replayed, ...standingOf(reply) }
}
