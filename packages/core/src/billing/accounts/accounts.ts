import type { BillingOptions } from '../options.js'
import { parseOptions } from '../parse-options.js'
import { checkAccount } from './arguments.js'
import { confirmed, standingOf, type Confirming, type Standing } from './confirmed.js'
import { entries, type EntriesOptions, type Entry } from './entries.js'
import { grant, type GrantOptions, type GrantOutcome } from './granting.js'
import { refund, type RefundOptions, type RefundOutcome } from './refunding.js'

/** What a program does with accounts besides billing their calls. */
export interface Accounts {
  /**
   * How an account stands, in credits. One that nobody has used yet stands at 0.
   *
   * @throws FareboxError `ARGUMENT_INVALID` or `STORE_UNAVAILABLE`
   * @example const { available } = await bill.balance('ada')
   */
  balance(account: string): Promise<Standing>
  /**
   * Adds credits to an account: a top-up, a promotion. Idempotent by `id`: the same id and amount again
   * answers `granted` with `replayed`, another amount `grant_conflict`; a balance above 2^53 − 1 micro-credits
   * is `grant_overflow`. Amounts in credits. Credits are used by priority, then those that end first, then the oldest.
   *
   * @throws FareboxError `ARGUMENT_INVALID` or `STORE_UNAVAILABLE`
   * @example await bill.grant('ada', 500, { id: 'evt_1', reason: 'top-up' })
   */
  grant(account: string, credits: number, options: GrantOptions): Promise<GrantOutcome>
  /**
   * Gives back of what a call was charged, by its reservation (the reference of its ledger entry, and in every event):
   * all of it or a part, never more (`refund_too_high`; `no_charge` where there is none). Idempotent by `id`: another amount
   * under the same id is `refund_conflict`; a balance above 2^53 − 1 micro-credits is `refund_overflow`. The credits go back
   * to the grants they came from; those of a grant that has ended come back as credits that do not end.
   *
   * @throws FareboxError `ARGUMENT_INVALID` or `STORE_UNAVAILABLE`
   * @example await bill.refund('ada', reservation, { id: 'ticket_7', reason: 'wrong answer', credits: 2 })
   */
  refund(account: string, reservation: string, options: RefundOptions): Promise<RefundOutcome>
  /**
   * An account's movements in order, a page at a time.
   *
   * @throws FareboxError `ARGUMENT_INVALID` or `STORE_UNAVAILABLE`
   * @example const page = await bill.entries('ada', { after: last.id, limit: 500 })
   */
  entries(account: string, options?: EntriesOptions): Promise<readonly Entry[]>
}

/**
 * What deals with accounts in a process that serves no requests: a webhook, a script.
 *
 * @param options `storeTimeout` in ms, default 1,000
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * const { grant } = accounts({ store: redisStore(process.env.REDIS_URL) })
 * await grant('ada', 500, { id: event.id, reason: 'top-up' })
 */
export function accounts(options: Pick<BillingOptions<unknown>, 'store' | 'storeTimeout'>): Accounts {
  return accountsOf(parseOptions({ account: () => undefined, ...options }))
}

export function accountsOf(settings: Confirming): Accounts {
  return {
    grant: (account, credits, options) => grant(settings, account, credits, options),
    refund: (account, reservation, options) => refund(settings, account, reservation, options),
    entries: (account, page) => entries(settings, account, page),
    async balance(account) {
      checkAccount(account)
      return standingOf(await confirmed(settings, 'balance', { kind: 'balance', account }))
    },
  }
}
