export { billing, type ExpressBilling } from './billing.js'
export { billable } from './billable.js'
export { accounts, cloudEvents, exportJournal, FareboxError, isFareboxError, memoryStore, metered, operations, priceBook, reportText, tokenUsage } from '@farebox/core'
export type {
  Accounts, Billing, BillingOptions, ChargeContext, ChargeItem, Entry, ErrorCode, Estimate, Events, Failure, GrantOutcome, ItemizedCharge, JournalEntry, JournalExport, JournalSink, Listeners, Logger, MemoryStoreOptions,
  Metered, OperationOutcome, Operations, PriceBook, PriceContext, RefundOutcome, Route, RouteReport, Schema, Store, Success, TokenMetered, TokenUsage, UsageSummary,
} from '@farebox/core'
