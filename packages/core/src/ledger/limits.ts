/** The largest amount the ledger keeps, in micro-credits: above it a double no longer counts one by one. */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER

/**
 * How long a closed reservation is remembered, in ms: within it a command that is sent again gets the first
 * answer. A settle first sent longer ago, whose reservation is not open, gets `unknown` and moves nothing.
 */
export const CLOSED_KEPT_MS = 120_000

/** How long a finished call answers for its idempotency key, and a finished operation for its id, in ms. */
export const RECORD_KEPT_MS = 86_400_000

/** Usage is kept for this many UTC days, today included. */
export const USAGE_DAYS = 30

export const DAY_MS = 86_400_000
