import type { LedgerEntry } from './state.js'

/**
 * The commands a store understands, one object each, and the reply to each.
 *
 * All amounts are integers of micro-credits below 2^53, all times ms. Reservation and grant ids are made by
 * the caller, so any command can be sent again after a time-out: it takes effect once and the reply says
 * the same.
 */
export type Command = Reserve | Settle | Release | Extend | Grant | ReadBalance | ReadUsage | ReadEntries

/** Sets `ceiling` aside, or says that the account can't cover it. The account's first reserve grants `allowance`. */
export interface Reserve {
  readonly kind: 'reserve'
  readonly account: string
  readonly reservation: string
  readonly ceiling: number
  readonly allowance: number
  readonly ttlMs: number
}

/** Ends a reservation with what the call cost. */
export interface Settle {
  readonly kind: 'settle'
  readonly account: string
  readonly reservation: string
  readonly ceiling: number
  readonly charge: number
  readonly product: string
  /**
   * When this settle was sent for the first time, in the store's time. It tells a reservation that expired
   * (charge it late) from one whose settle was remembered and then forgotten (`unknown`).
   */
  readonly firstSentAt: number
}

/** Ends a reservation at zero. An id that was never reserved is closed too, so that a delayed reserve holds nothing. */
export interface Release {
  readonly kind: 'release'
  readonly account: string
  readonly reservation: string
}

/** Moves the deadline of an open reservation to `ttlMs` from now, never to an earlier time. */
export interface Extend {
  readonly kind: 'extend'
  readonly account: string
  readonly reservation: string
  readonly ttlMs: number
}

/** Credits coming in. */
export interface Grant {
  readonly kind: 'grant'
  readonly account: string
  readonly grant: string
  readonly amount: number
  readonly reason: string
}

export interface ReadBalance {
  readonly kind: 'balance'
  readonly account: string
}

export interface ReadUsage {
  readonly kind: 'usage'
  readonly account: string
}

/** Entries in order, from behind the entry `after` ('' for the first), at most `limit`. */
export interface ReadEntries {
  readonly kind: 'entries'
  readonly account: string
  readonly after: string
  readonly limit: number
}

/** How an account stands after a command. */
export interface Standing {
  readonly balance: number
  readonly reserved: number
  /** `balance − reserved`, never below 0. */
  readonly available: number
}

export interface Reserved extends Standing {
  readonly kind: 'reserved'
  readonly reservedAt: number
  readonly expiresAt: number
}

export interface Insufficient extends Standing {
  readonly kind: 'insufficient'
  readonly required: number
}

/** The id is taken: by a reservation of another ceiling, or by one that has ended. */
export interface ReservationConflict extends Standing {
  readonly kind: 'conflict'
}

/** How the reservation ended: by the first settle or release, whatever came later. */
export interface Closed extends Standing {
  readonly kind: 'settled' | 'released'
  readonly ceiling: number
  readonly charge: number
  /** What a late charge could not take any more. */
  readonly shortfall: number
  /** The reservation had expired before the charge came. */
  readonly late: boolean
}

/** Neither open nor remembered, and too old to tell whether it was charged: nothing was moved. */
export interface UnknownReservation extends Standing {
  readonly kind: 'unknown'
  /** The store's time. */
  readonly now: number
}

export interface Extended extends Standing {
  readonly kind: 'extended'
  readonly expiresAt: number
}

/** The reservation to extend is not open: it ended, expired or never was. */
export interface Gone extends Standing {
  readonly kind: 'gone'
}

export interface Granted extends Standing {
  readonly kind: 'granted'
  readonly amount: number
  /** Whether an earlier grant with this id had done it already. */
  readonly replayed: boolean
}

/** The grant id was used for another amount: nothing was added. */
export interface GrantConflict extends Standing {
  readonly kind: 'grant_conflict'
  readonly amount: number
}

/** The balance would pass 2^53 − 1 micro-credits: nothing was added. */
export interface GrantOverflow extends Standing {
  readonly kind: 'grant_overflow'
}

export interface BalanceRead extends Standing {
  readonly kind: 'balance'
}

export interface UsageRead {
  readonly kind: 'usage'
  /** The UTC day number (days since the epoch) of the store's clock. */
  readonly today: number
  /** One row a day and product, in no particular order, over the last `USAGE_DAYS` days. */
  readonly rows: readonly UsageRow[]
}

export interface UsageRow {
  readonly day: number
  readonly product: string
  readonly calls: number
  readonly charged: number
}

export interface EntriesRead {
  readonly kind: 'entries'
  readonly entries: readonly LedgerEntry[]
}

export interface Replies {
  readonly reserve: Reserved | Insufficient | ReservationConflict
  readonly settle: Closed | UnknownReservation
  readonly release: Closed
  readonly extend: Extended | Gone
  readonly grant: Granted | GrantConflict | GrantOverflow
  readonly balance: BalanceRead
  readonly usage: UsageRead
  readonly entries: EntriesRead
}

export type Reply = Replies[Command['kind']]
export type ReplyTo<C extends Command> = Replies[C['kind']]
