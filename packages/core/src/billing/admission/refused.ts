import type { Budget, Insufficient, OverBudget } from '../../ledger/commands.js'
import type { SchemaIssue } from '../prices/schema.js'

/** What an account that can't cover a call can do about it. */
export type Remedy =
  /** Only calls in flight stand in the way. */
  | { readonly kind: 'retry'; readonly afterMs: number }
  /** A smaller request to the same route would fit. */
  | { readonly kind: 'reduce' }
  | { readonly kind: 'top_up' }
  /** No credits help: the budget has to be raised, or its window to end. */
  | { readonly kind: 'raise_limit'; readonly afterMs?: number }

/** Why a call may not run. Amounts are micro-credits. */
export type Refused =
  | { readonly kind: 'unauthenticated'; readonly reason: string }
  | { readonly kind: 'invalid_request'; readonly issues: readonly SchemaIssue[] }
  | { readonly kind: 'price_invalid'; readonly route: string }
  | { readonly kind: 'ceiling_too_high'; readonly required: number; readonly most: number }
  | (Insufficient & { readonly remedy: Remedy })
  | (OverBudget & { readonly remedy: Remedy; readonly limit: Budget })
  /** Another call with the same idempotency key is being made; or was made with another payload; or can't be shown again. */
  | { readonly kind: 'in_progress' | 'mismatch' | 'result_unavailable' }
  | { readonly kind: 'no_operation'; readonly operation: string }
  | { readonly kind: 'unavailable' }
