export { billing, type ExpressBilling } from './billing.js'
export { billable } from './billable.js'
export { FareboxError, isFareboxError, memoryStore, metered, priceBook, reportText } from '@farebox/core'
export type {
  Billing, BillingOptions, ChargeContext, ChargeItem, ErrorCode, GrantOutcome, ItemizedCharge, Logger, MemoryStoreOptions, Metered,
  PriceBook, PriceContext, Route, RouteReport, Schema, Store, UsageSummary,
} from '@farebox/core'
