import type { BudgetKey } from '../../ledger/state.js'
import type { EntryDetails } from '../settlement/entry-details.js'
import type { CallMeter } from './call-meter.js'
import type { Query, Route } from '../prices/route.js'

/** What an adapter tells about a request. Everything is read only when billing needs it. */
export interface Call {
  /** For messages. */
  readonly url: string
  readonly params: Readonly<Record<string, string>>
  /** Parsed as the framework's handlers see it. */
  query(): Query
  header(name: string): string | undefined
  /** As the framework has it, for the options that look at it. */
  readonly request: unknown
  /** The body as the framework's users parse it, left intact for the handler. */
  body(): Promise<BodyRead>
}

/** The longest body that is read to price a call, in bytes. What the app's own parser has read may be longer. */
export const MAX_BODY_BYTES = 8_388_608

export type BodyRead =
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly reason: string }

/** The idempotency key of a call and what it sends, both as digests; `''` for a call without a key. */
export interface Idempotency {
  readonly key: string
  readonly payload: string
}

/** A call that was let in and has not been settled. */
export interface OpenCall {
  readonly route: Route
  /** The route's key, for messages. */
  readonly key: string
  readonly account: string
  readonly reservation: string
  /** Micro-credits. */
  readonly ceiling: number
  /** Whether its price is set aside; else it runs on what `onStoreError` allows. */
  readonly reserved: boolean
  /** When the store reserved it or would have, in the store's time, ms; 0 where that is not known. */
  readonly reservedAt: number
  /** The same moment on this process's monotonic clock, ms. */
  readonly startedAt: number
  readonly call: Call
  readonly body: unknown
  readonly meter: CallMeter
  readonly idempotency: Idempotency
  /** Which its ceiling is held in. */
  readonly budgets: readonly BudgetKey[]
  /** For its ledger entry. */
  readonly details: EntryDetails
}

/** What is enough to name a call once it has ended. */
export type NamedCall = Pick<OpenCall, 'key' | 'account' | 'reservation' | 'ceiling'>

/** What a call cost. Amounts are micro-credits. */
export interface Receipt {
  readonly charge: number
  readonly ceiling: number
  readonly items: readonly { readonly unit: string; readonly quantity: number; readonly credits: number }[]
  /** What the account can spend after it; absent while the charge is pending. */
  readonly available?: number
  /** It is not yet what it will be: the store could not be reached, or an operation goes on. */
  readonly pending: boolean
  /** The call has begun an operation: what it costs is known when that ends. */
  readonly operation: boolean
}
