export { billing, type ExpressBilling } from './billing.js'
export { billable } from './billable.js'
export { accounts, cloudEvents, exportJournal, FareboxError, isFareboxError, memoryStore, metered, operations, priceBook, reportText, tokenUsage } from '@farebox/core'
export type {
  Accounts, AutoTopUp, BelowThreshold, Billing, BillingOptions, BudgetLimit, ChargeContext, ChargeItem, Entry, ErrorCode, Estimate, Events, Failure, GrantOutcome,
  ItemizedCharge, JournalEntry, JournalExport, JournalSink, Limit, Listeners, Logger, MemoryStoreOptions, Metered, OperationOutcome, Operations, PriceBook, PriceContext,
  RecurringAllowanceOptions, RefundOutcome, Route, RouteReport, Schema, Spool, Store, StoreErrorPolicy, Success, ThresholdEvent, TokenMetered, TokenUsage, TopUpNeed, UsageSummary, UsedThreshold, WorkerOperations,
} from '@farebox/core'
