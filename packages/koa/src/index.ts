export { billing, type KoaBilling } from './billing.js'
export { billable } from './billable.js'
export { FareboxError, isFareboxError, memoryStore, metered, priceBook, reportText } from '@farebox/core'
export type {
  Billing, BillingOptions, ChargeContext, ChargeItem, ErrorCode, GrantOutcome, ItemizedCharge, Logger, PriceBook, PriceContext, Route, RouteReport, Store,
} from '@farebox/core'
