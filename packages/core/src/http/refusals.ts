import type { Refused } from '../billing/admission/refused.js'
import type { SchemaIssue } from '../billing/prices/schema.js'
import { toCredits } from '../credits.js'

/** Why a call does not run. Codes are stable; messages are for people. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>
}

/** What a caller is told, and the only place where a status code is chosen (DESIGN.md, section 4). */
export function refusalOf(refused: Refused): Refusal {
  switch (refused.kind) {
    case 'unauthenticated':
      return refusal(401, 'UNAUTHENTICATED', refused.reason)
    case 'insufficient':
    case 'over_budget':
      return paymentRequired(refused)
    case 'ceiling_too_high':
      return refusal(403, 'CEILING_TOO_HIGH', 'this call costs more than any one call may',
        { required: toCredits(refused.required), maxCeiling: toCredits(refused.most) })
    case 'invalid_request':
      return refusal(422, 'INVALID_REQUEST', `this request can't be priced: ${refused.issues.map(issueText).join('; ')}`, { issues: refused.issues })
    case 'price_invalid':
      return refusal(500, 'PRICE_INVALID', 'this route has no valid price', { route: refused.route })
    case 'in_progress':
      return refusal(409, 'IDEMPOTENCY_IN_PROGRESS', 'a call with this Idempotency-Key is being made', {}, { 'Retry-After': '1' })
    case 'result_unavailable':
      return refusal(409, 'IDEMPOTENCY_RESULT_UNAVAILABLE', 'this call was made and is not billed again; its response was streamed or too large to be kept')
    case 'mismatch':
      return refusal(422, 'IDEMPOTENCY_MISMATCH', 'this Idempotency-Key belongs to a call with another payload')
    case 'no_operation':
      return refusal(404, 'OPERATION_NOT_FOUND', 'there is no such operation, or not any more', { operationId: refused.operation })
    case 'unavailable':
      return refusal(503, 'BILLING_UNAVAILABLE', 'credits cannot be checked at the moment', {}, { 'Retry-After': '1' })
  }
}

function paymentRequired(refused: Extract<Refused, { kind: 'insufficient' | 'over_budget' }>): Refusal {
  const { required, available, reserved, remedy } = refused
  const details = {
    required: toCredits(required), available: toCredits(available), reserved: toCredits(reserved), remedy: remedy.kind,
    ...(refused.kind === 'over_budget' && { budget: budgetDetails(refused) }),
  }
  return refusal(402, 'PAYMENT_REQUIRED', 'insufficient credits', details, {
    'Credits-Ceiling': String(details.required),
    'Credits-Remaining': String(details.available),
    // Whole seconds (RFC 9110, section 10.2.3): earlier would be too early.
    ...('afterMs' in remedy && { 'Retry-After': String(Math.ceil(remedy.afterMs / 1_000)) }),
  })
}

/** Which scope said no, and where it stands. */
function budgetDetails({ limit: { scope, window, limit }, spent, held, resetsAt }: Extract<Refused, { kind: 'over_budget' }>) {
  return {
    scope, window, limit: toCredits(limit), spent: toCredits(spent), held: toCredits(held),
    ...(resetsAt > 0 && { resetsAt: new Date(resetsAt).toISOString() }),
  }
}

function refusal(status: number, code: string, message: string, details: Refusal['details'] = {}, headers: Refusal['headers'] = {}): Refusal {
  return { status, code, message, details, headers: { 'Credits-Charged': '0', ...headers } }
}

function issueText({ field, message }: SchemaIssue): string {
  return field === '' ? message : `${field}: ${message}`
}
