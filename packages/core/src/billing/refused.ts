import type { Insufficient } from '../ledger/commands.js'
import type { SchemaIssue } from './schema.js'

/** Why a call may not run. Amounts are micro-credits. */
export type Refused =
  | { readonly kind: 'unauthenticated'; readonly reason: string }
  | { readonly kind: 'invalid_request'; readonly issues: readonly SchemaIssue[] }
  | { readonly kind: 'price_invalid'; readonly route: string }
  | { readonly kind: 'ceiling_too_high'; readonly required: number; readonly most: number }
  | Insufficient
  | { readonly kind: 'unavailable' }
