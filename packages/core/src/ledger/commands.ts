import type { BudgetKey, LedgerEntry, Operation, OperationStatus, Recurrence } from './state.js'

/**
 * The commands of an account, one object each, and the reply to each.
 *
 * All amounts are integers of micro-credits below 2^53, all times ms. Reservation and grant ids are made by
 * the caller, so any command can be sent again after a time-out: it takes effect once and the reply says
 * the same.
 */
export type LedgerCommand =
  | Reserve | Settle | Release | Extend | Grant | ReadBalance | ReadUsage | ReadEntries
  | Refund | Hold | Progress | Finish | ReadOperation | Watch | Exported

/** A limit to what is charged in a scope and window, beside what the balance allows. */
export interface Budget extends BudgetKey {
  /** The most that may be charged and held in it. */
  readonly limit: number
}

/** A standing of the balance that is told when it is passed downwards: once, until a grant lifts the balance well above it again. */
export type Threshold =
  /** Below this balance. */
  | { readonly kind: 'below'; readonly amount: number }
  /** When this many millionths of what the account had after its last grant are gone. */
  | { readonly kind: 'used'; readonly millionths: number }
  /** Below this balance somebody tops it up: told again when the balance is still below after `retryMs`. */
  | { readonly kind: 'top_up'; readonly amount: number; readonly retryMs: number }

/**
 * Sets `ceiling` aside, or says that the account can't cover it. The account's first reserve grants `allowance`.
 *
 * With an idempotency key, a call that has been made or is being made under it is told instead, and nothing is
 * set aside. The key is taken by a reservation, and by nothing else: whoever is refused has not used it.
 */
export interface Reserve {
  readonly kind: 'reserve'
  readonly account: string
  readonly reservation: string
  readonly ceiling: number
  readonly allowance: number
  /** When the allowance comes again; absent: never. Once it does it goes on, also for commands that don't say so. */
  readonly recurrence?: Recurrence
  /** All of them are held, or none; the call counts once where two limits are for one scope and window. */
  readonly budgets?: readonly Budget[]
  readonly ttlMs: number
  /** `''` for a call without one. */
  readonly key: string
  /** What the call sends, as a digest: the same key with another payload is a `mismatch`. */
  readonly payload: string
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
  /** What its ledger entry says besides: the JSON of an object. */
  readonly details?: string
  /** What a late charge counts in: its reservation has been forgotten. */
  readonly budgets?: readonly BudgetKey[]
  /** The idempotency key that the call was reserved under, `''` for none; from now on it answers with `response`. */
  readonly key: string
  readonly payload: string
  /** What to answer to whoever uses the key again; `''` where there is nothing to be kept. */
  readonly response: string
}

/**
 * Ends a reservation at zero. An id that was never reserved is closed too, so that a delayed reserve holds nothing.
 * Its idempotency key is free again.
 */
export interface Release {
  readonly kind: 'release'
  readonly account: string
  readonly reservation: string
  /** `''` for none. */
  readonly key: string
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
  /** Not `allowance:<date>` or `rollover:<date>`: under these a recurring allowance comes. */
  readonly grant: string
  readonly amount: number
  readonly reason: string
  /** What it is: an allowance, a top-up, a promotion. */
  readonly source: string
  /** The lower, the earlier its credits are used. */
  readonly priority: number
  /** 0: never. */
  readonly expiresAt: number
}

/**
 * Gives back of a charge, once an id: at most what was charged, to the grants it came from, the credits that were used
 * last first. What came from a grant that has ended since comes back as plain credits, which do not end.
 */
export interface Refund {
  readonly kind: 'refund'
  readonly account: string
  readonly refund: string
  readonly reservation: string
  /** The id of the charge's ledger entry. */
  readonly entry: string
  /** 0: all that is left of the charge. */
  readonly amount: number
  readonly reason: string
  /** As in `settle`. */
  readonly details?: string
}

export interface ReadBalance {
  readonly kind: 'balance'
  readonly account: string
  /** Told as well. */
  readonly budgets?: readonly BudgetKey[]
}

/** Asks which thresholds have been passed since anybody was told. The same `watch` again is told the same. */
export interface Watch {
  readonly kind: 'watch'
  readonly account: string
  /** An id. */
  readonly watch: string
  readonly thresholds: readonly Threshold[]
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

/**
 * The account's first `upTo` entries are safely in the journal's sink. It never takes that back, so 0 asks how far they are.
 * Besides it puts the account among those that wait for the sink, or takes it from there, whichever is right.
 */
export interface Exported {
  readonly kind: 'exported'
  readonly account: string
  readonly upTo: number
}

/**
 * Makes a call's reservation that of an operation: it stays open for `ttlMs` from now, whoever finishes it. Where it
 * has expired before, the operation is known all the same and finished late.
 */
export interface Hold {
  readonly kind: 'hold'
  readonly account: string
  readonly reservation: string
  readonly operation: string
  readonly ceiling: number
  readonly product: string
  readonly ttlMs: number
  /** As in `settle`. */
  readonly key: string
  readonly payload: string
  readonly response: string
}

/** What an operation has come to (`progress`, where it is not `''`) and that it goes on for `ttlMs` from now (where it is not 0). */
export interface Progress {
  readonly kind: 'progress'
  readonly account: string
  readonly operation: string
  readonly reservation: string
  /** The idempotency key that its call was made under, `''` for none: it is kept as long. */
  readonly key: string
  readonly progress: string
  readonly ttlMs: number
}

/** Ends an operation: with its charge where it `succeeded`, else at zero. The first end is the one that counts. */
export interface Finish {
  readonly kind: 'finish'
  readonly account: string
  readonly operation: string
  readonly reservation: string
  /** The idempotency key that its call was made under, `''` for none. */
  readonly key: string
  /** 1, or 0 for an operation that failed. */
  readonly succeeded: number
  readonly charge: number
  /** As in `settle`. */
  readonly details?: string
  readonly budgets?: readonly BudgetKey[]
  readonly result: string
}

export interface ReadOperation {
  readonly kind: 'operation'
  readonly account: string
  readonly operation: string
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
  /** The store's time. */
  readonly now: number
  /** When enough open reservations will have expired, if none is extended; 0 when that would not be enough. */
  readonly freesAt: number
}

/** One of the budgets can't cover the call: nothing was set aside. */
export interface OverBudget extends Standing {
  readonly kind: 'over_budget'
  readonly required: number
  /** The place of that budget in the command. */
  readonly budget: number
  readonly spent: number
  /** What calls that have not ended may still spend in it. */
  readonly held: number
  readonly now: number
  /** When its window ends; 0: never. */
  readonly resetsAt: number
}

/** A call is being made under this idempotency key. */
export interface InProgress extends Standing {
  readonly kind: 'in_progress'
  readonly now: number
  /** When the key is free again, if its call is neither finished nor extended. */
  readonly expiresAt: number
}

/** A call was made under this idempotency key. */
export interface Replayed extends Standing {
  readonly kind: 'replayed'
  readonly ceiling: number
  readonly charge: number
  /** `''` where its response was not kept. */
  readonly response: string
  /** Whether it is a pending operation's. */
  readonly pending: boolean
}

/** The idempotency key belongs to a call with another payload. */
export interface Mismatch extends Standing {
  readonly kind: 'mismatch'
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
  /** The store's time, or when it last forgot reservations if its clock was put back since: a settle first sent then is not too old. */
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

/** The grant id was used for another amount, or is one under which a recurring allowance comes: nothing was added. */
export interface GrantConflict extends Standing {
  readonly kind: 'grant_conflict'
  /** 0 for an allowance's. */
  readonly amount: number
}

/** The balance would pass 2^53 − 1 micro-credits: nothing was added. */
export interface GrantOverflow extends Standing {
  readonly kind: 'grant_overflow'
}

export interface RefundDone extends Standing {
  readonly kind: 'refunded'
  readonly amount: number
  /** Whether an earlier refund with this id had done it already. */
  readonly replayed: boolean
  /** What is left of the charge. */
  readonly left: number
}

/** More than is left of the charge: nothing was given back. */
export interface RefundTooHigh extends Standing {
  readonly kind: 'refund_too_high'
  readonly left: number
}

/** The balance would pass 2^53 − 1 micro-credits: nothing was given back. */
export interface RefundOverflow extends Standing {
  readonly kind: 'refund_overflow'
}

/** The refund's id was used for another amount. */
export interface RefundConflict extends Standing {
  readonly kind: 'refund_conflict'
  readonly amount: number
}

/** The entry is not a charge of this reservation. */
export interface NoCharge extends Standing {
  readonly kind: 'no_charge'
}

export interface BalanceRead extends Standing {
  readonly kind: 'balance'
  /** Whether the account has had its allowance. */
  readonly provisioned: boolean
  /** Of each budget that was asked for, in that order. */
  readonly budgets?: readonly { readonly spent: number; readonly held: number }[]
}

export interface Watched extends Standing {
  readonly kind: 'watched'
  readonly crossed: readonly Crossing[]
}

export interface Crossing {
  /** The place of the threshold in the command. */
  readonly threshold: number
  /** How many times it has been told, not counting repetitions: with the account it names a top-up. */
  readonly number: number
}

/** An operation as it is after a command. */
export interface OperationRead extends Standing, Omit<Operation, 'status' | 'keptUntil'> {
  readonly kind: 'operation'
  readonly operation: string
  readonly status: OperationStatus
}

/** There is no such operation, or not any more. */
export interface NoOperation extends Standing {
  readonly kind: 'no_operation'
}

/** The operation's id belongs to another call of the account. */
export interface OperationConflict extends Standing {
  readonly kind: 'operation_conflict'
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
  /** On this day, of charges of any day. */
  readonly refunded: number
}

export interface EntriesRead {
  readonly kind: 'entries'
  readonly entries: readonly LedgerEntry[]
}

export interface ExportedRead {
  readonly kind: 'exported'
  /** How many entries have gone on to the sink. */
  readonly exported: number
  /** How many are still to go. */
  readonly waiting: number
}

export interface Replies {
  readonly reserve: Reserved | Insufficient | OverBudget | ReservationConflict | InProgress | Replayed | Mismatch
  readonly settle: Closed | UnknownReservation
  readonly release: Closed
  readonly extend: Extended | Gone
  readonly grant: Granted | GrantConflict | GrantOverflow
  readonly refund: RefundDone | RefundTooHigh | RefundOverflow | RefundConflict | NoCharge
  readonly balance: BalanceRead
  readonly watch: Watched
  readonly usage: UsageRead
  readonly entries: EntriesRead
  readonly exported: ExportedRead
  readonly hold: OperationRead | OperationConflict
  readonly progress: OperationRead | NoOperation
  readonly finish: OperationRead | NoOperation
  readonly operation: OperationRead | NoOperation
}

export type LedgerReply = Replies[LedgerCommand['kind']]
export type LedgerReplyTo<C extends LedgerCommand> = Replies[C['kind']]
