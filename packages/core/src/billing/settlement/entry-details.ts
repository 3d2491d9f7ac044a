import type { Call } from '../call/call.js'
import type { ChargeItem } from '../prices/route.js'

/** What a ledger entry says besides its amount: a charge of its call, a refund of itself. */
export interface EntryDetails {
  /** The `priceBookVersion` option. */
  readonly priceBookVersion?: string
  /** The request's X-Request-Id. */
  readonly requestId?: string
  readonly items?: readonly ChargeItem[]
  /** The id under which a refund was given. */
  readonly refundId?: string
}

/** The longest request id, and the longest JSON, that an entry keeps, in characters: entries are kept for good. */
const MAX_REQUEST_ID = 200
const MAX_LENGTH = 8_192

/** What is known of a call before it is made. */
export function detailsOf({ header }: Pick<Call, 'header'>, priceBookVersion: string): EntryDetails {
  const requestId = header('x-request-id')?.slice(0, MAX_REQUEST_ID)
  return { ...(priceBookVersion && { priceBookVersion }), ...(requestId && { requestId }) }
}

/** As a ledger command takes them, `details` only where there are any. A list of items that is too long is left out. */
export function entryDetails(details: EntryDetails, items: readonly ChargeItem[]): { readonly details?: string } {
  const all = JSON.stringify({ ...details, ...(items.length > 0 && { items }) })
  const json = all.length > MAX_LENGTH ? JSON.stringify(details) : all
  return json === '{}' ? {} : { details: json }
}

/** What an entry keeps, as it was written. */
export function readDetails(json: string): EntryDetails {
  return json === '' ? {} : JSON.parse(json) as EntryDetails
}
