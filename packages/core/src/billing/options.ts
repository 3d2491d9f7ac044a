import type { JournalSink } from '../journal/sink.js'
import type { BudgetWindow } from '../ledger/state.js'
import type { Store } from '../store/store.js'
import type { Listeners } from './events.js'
import type { Logger } from './logger.js'
import type { PriceBook, Route } from './prices/route.js'
import type { Spool } from './settlement/spool.js'

/**
 * What `billing` takes. `Request` is what the framework gives its handlers: Express' request, Koa's and Hono's
 * context.
 */
export interface BillingOptions<Request, Bodies = unknown, Responses = unknown> {
  /** Who pays for this request; nothing: 401. A string of 1 to 256 characters. */
  readonly account: (request: Request) => string | null | undefined | Promise<string | null | undefined>
  /** Where balances live: `memoryStore()`, or `redisStore(url)` of @farebox/redis. */
  readonly store: Store
  /** Prices by route. Default none: then `billable` prices single routes. */
  readonly prices?: PriceBook<Bodies, Responses>
  /** Credits that an account gets with its first billable call, once or again and again. Default 0. */
  readonly allowance?: number | RecurringAllowanceOptions
  /** What a route gets that `prices` does not list: it runs free, or is refused. Default `'free'`. */
  readonly unlisted?: 'free' | 'refuse'
  /** The most credits one call may cost; a call priced above it is refused with 403. Default: no limit. */
  readonly maxCeiling?: Limit<Request>
  /** The most credits an account may be charged in a UTC day, calls that still run included: 402 beyond. Default: no limit. */
  readonly maxPerDay?: Limit<Request>
  /**
   * Limits inside the account, to be held together with the credits: of an API key, a team, an end user. The 402 names the scope that
   * said no.
   *
   * @example budgets: (req) => [{ scope: `key:${req.apiKey}`, limit: 1_000, window: 'day' }]
   */
  readonly budgets?: (request: Request) => readonly BudgetLimit[] | Promise<readonly BudgetLimit[]>
  /**
   * Standings of the balance that the `threshold` event tells of, each once over all processes when it is passed, and again only after
   * a grant has lifted the balance a tenth above it: below so many credits, or when that part of what the account had after its last grant is used.
   *
   * @example onThreshold: [{ below: 20 }, { used: 0.8 }]
   */
  readonly onThreshold?: readonly (BelowThreshold | UsedThreshold)[]
  /** Buys credits for accounts that run low. */
  readonly autoTopUp?: AutoTopUp
  /** The version of the price book, for the ledger's entries: up to 64 characters. */
  readonly priceBookVersion?: string
  /** The paths of the endpoints that billing adds; `false` turns one off. */
  readonly endpoints?: {
    /** Default `/v1/credits/balance`. */
    readonly balance?: string | false
    /** Default `/v1/credits/projections/usage-summary`. */
    readonly usageSummary?: string | false
    /** Has `:id` in it. Default `/v1/operations/:id`. */
    readonly operation?: string | false
    /** What a billable route's path ends with to be estimated. Default `/estimate`. */
    readonly estimate?: string | false
  }
  /** `false` only watches: everything is priced, reserved where possible and reported, and nobody is refused. Default true. */
  readonly enforce?: boolean
  /** Listeners, for logs and metrics. What one throws is logged and changes nothing. */
  readonly on?: Listeners
  /**
   * Where every ledger entry goes besides, at least once and in order per account: `cloudEvents`, `ndjsonFile` of
   * @farebox/core/ndjson, or a sink of yours. See docs/journal.md. Default: nowhere.
   */
  readonly journal?: JournalSink
  /**
   * Where charges are kept that could not be posted, beside memory, so that they survive the process: `spoolDirectory(path)` of
   * @farebox/core/spool. See docs/outages.md. Default: memory only.
   */
  readonly spool?: Spool
  /**
   * What calls may cost in all, in each process, that run while the store can't answer: their charges are posted when it is back, from what their
   * accounts have then. Default: none run, each is refused with 503.
   *
   * @example onStoreError: { allow: 500 }
   */
  readonly onStoreError?: StoreErrorPolicy
  /** How long a reservation lives unless its call still runs, in ms. Default 60,000. */
  readonly reservationTtl?: number
  /** How long a call waits for the store before it is refused with 503, in ms. Default 1,000. */
  readonly storeTimeout?: number
  /** Default: the console. */
  readonly logger?: Logger
}

/** A number of credits, or what depends on who calls; `undefined`: no limit. */
export type Limit<Request> = number | ((request: Request) => number | undefined | Promise<number | undefined>)

/** An allowance that comes again: at 00:00 UTC of each day, or of the day of the month on which the account made its first billable call. */
export interface RecurringAllowanceOptions {
  readonly credits: number
  /** A month begins on its last day where it has no such day. */
  readonly every: 'day' | 'month'
  /** At most so many credits of what is left at the end of a period go on into the next one. Default 0. */
  readonly rollover?: number
}

/** The most credits that may be charged in a scope, calls that still run included. */
export interface BudgetLimit {
  /** Whatever you limit: 1 to 256 characters. The account's own daily limit has the scope `account`. */
  readonly scope: string
  readonly limit: number
  /** A UTC day, a UTC calendar month, or for good. */
  readonly window: BudgetWindow
}

/** What runs while nobody can tell who has credits. */
export interface StoreErrorPolicy {
  /** Credits, above 0: the most that calls may cost together that were let in so and are not posted yet. */
  readonly allow: number
}

export interface BelowThreshold {
  /** Credits. */
  readonly below: number
}

export interface UsedThreshold {
  /** From 0.000001 to 1. */
  readonly used: number
}

/** Keeps balances up. At most one top-up of an account is under way over all processes. */
export interface AutoTopUp {
  /** Credits: begins when the balance is below. */
  readonly below: number
  /**
   * Takes the money and returns the credits that were bought, which billing grants; 0 for none (not wanted, card declined): then it is asked
   * again after 5 minutes. Where it throws, takes longer than that, or its process dies, nobody knows: after 5 minutes it is asked again with the
   * same `id`. Give that to your payment provider as idempotency key, and nobody pays twice.
   */
  readonly topUp: (need: TopUpNeed) => number | Promise<number>
}

export interface TopUpNeed {
  readonly account: string
  /** Names the top-up among those of all accounts: `ada/auto-top-up:1`, the account percent-encoded. Its grant has the id `auto-top-up:1`. */
  readonly id: string
  /** Credits. */
  readonly balance: number
}

/** The options with every default filled in. */
export interface Settings<Request> {
  readonly account: (request: Request) => unknown
  readonly store: Store
  readonly prices: Readonly<Record<string, 'free' | Route>>
  readonly allowance: number | RecurringAllowanceOptions
  readonly unlisted: 'free' | 'refuse'
  readonly maxCeiling?: Limit<Request> | undefined
  readonly maxPerDay?: Limit<Request> | undefined
  readonly budgets?: ((request: Request) => unknown) | undefined
  readonly onThreshold: readonly (BelowThreshold | UsedThreshold)[]
  readonly autoTopUp?: AutoTopUp | undefined
  readonly priceBookVersion: string
  readonly endpoints: Readonly<Record<'balance' | 'usageSummary' | 'operation' | 'estimate', string | false>>
  readonly enforce: boolean
  readonly on: Listeners
  readonly journal?: JournalSink | undefined
  readonly spool?: Spool | undefined
  readonly onStoreError?: StoreErrorPolicy | undefined
  readonly reservationTtl: number
  readonly storeTimeout: number
  readonly logger: Logger
}
