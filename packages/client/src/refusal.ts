import { isObject } from './is-object.js'
import { readRetryAfter } from './pause.js'

interface Code<C extends string> {
  readonly code: C
  readonly status: number
  /** For people; it may change. */
  readonly message: string
}

interface Passing {
  /** What Retry-After asks for, in ms; `undefined` where the response has none. */
  readonly retryAfterMs: number | undefined
}

/** A limit inside the account, or its plan's limit a day (scope `account`), and how it stands. Amounts are credits. */
export interface Budget {
  readonly scope: string
  readonly window: typeof WINDOWS[number]
  readonly limit: number
  readonly spent: number
  /** Held by calls in flight. */
  readonly held: number
  /** When its window ends (ISO 8601); `undefined`: never. */
  readonly resetsAt: string | undefined
}

const REMEDIES = ['top_up', 'reduce', 'retry', 'raise_limit'] as const
const WINDOWS = ['day', 'month', 'total'] as const

/** Why billing did not let a call run. `code` tells them apart; amounts are credits. */
export type Refusal =
  | Code<'UNAUTHENTICATED'>
  | Code<'PAYMENT_REQUIRED'> & Passing & {
    readonly required: number
    readonly available: number
    /** Set aside for calls in flight. */
    readonly reserved: number
    /** Buy credits, ask for less, wait for the calls in flight, or have the `budget` raised. */
    readonly remedy: typeof REMEDIES[number]
    /** The budget that said no; `undefined` where the account is short of credits. */
    readonly budget: Budget | undefined
  }
  | Code<'CEILING_TOO_HIGH'> & { readonly required: number; readonly maxCeiling: number }
  | Code<'IDEMPOTENCY_IN_PROGRESS'> & Passing
  /** The call was done and paid under this key; its response can't be shown again. */
  | Code<'IDEMPOTENCY_RESULT_UNAVAILABLE'>
  | Code<'IDEMPOTENCY_MISMATCH'>
  | Code<'INVALID_REQUEST'> & { readonly issues: readonly { readonly field: string; readonly message: string }[] }
  | Code<'PRICE_INVALID'>
  | Code<'BILLING_UNAVAILABLE'> & Passing

/** Whether what stands in the way goes by itself, and soon: a budget's next window may be weeks away. */
export function mayPass(refusal: Refusal): boolean {
  switch (refusal.code) {
    case 'PAYMENT_REQUIRED': return refusal.remedy === 'retry'
    case 'IDEMPOTENCY_IN_PROGRESS':
    case 'BILLING_UNAVAILABLE': return true
    default: return false
  }
}

/** The refusal in a response, which stays readable; `undefined` where the response is the API's own. */
export async function readRefusal(response: Response): Promise<Refusal | undefined> {
  const type = response.headers.get('Content-Type') ?? ''
  if (response.status < 400 || !/^application\/(problem\+)?json\b/i.test(type)) return undefined
  const text = await response.clone().text()
  const stated = read(text)
  return stated && typed(stated, response.status, readRetryAfter(response.headers))
}

interface Stated {
  readonly code: unknown
  readonly message: unknown
  readonly details: Readonly<Record<string, unknown>>
}

/** The error envelope or a problem (RFC 9457), whose details are its own members. */
function read(text: string): Stated | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(body)) return undefined
  const { error } = body
  if (!isObject(error)) return { code: body.code, message: body.title, details: body }
  return { code: error.code, message: error.message, details: isObject(error.details) ? error.details : {} }
}

/** A code counts with its own status and details only: an API may use the same word for something else. */
function typed({ code, message, details }: Stated, status: number, retryAfterMs: number | undefined): Refusal | undefined {
  if (typeof message !== 'string') return undefined
  const { required, available, reserved, remedy, budget, maxCeiling, issues } = details
  switch (`${status} ${String(code)}`) {
    case '401 UNAUTHENTICATED': return { code: 'UNAUTHENTICATED', status, message }
    case '402 PAYMENT_REQUIRED':
      if (typeof required !== 'number' || typeof available !== 'number' || typeof reserved !== 'number') return undefined
      if (!isOneOf(REMEDIES, remedy)) return undefined
      return { code: 'PAYMENT_REQUIRED', status, message, required, available, reserved, remedy, budget: readBudget(budget), retryAfterMs }
    case '403 CEILING_TOO_HIGH':
      if (typeof required !== 'number' || typeof maxCeiling !== 'number') return undefined
      return { code: 'CEILING_TOO_HIGH', status, message, required, maxCeiling }
    case '409 IDEMPOTENCY_IN_PROGRESS': return { code: 'IDEMPOTENCY_IN_PROGRESS', status, message, retryAfterMs }
    case '409 IDEMPOTENCY_RESULT_UNAVAILABLE': return { code: 'IDEMPOTENCY_RESULT_UNAVAILABLE', status, message }
    case '422 IDEMPOTENCY_MISMATCH': return { code: 'IDEMPOTENCY_MISMATCH', status, message }
    case '422 INVALID_REQUEST': return Array.isArray(issues) ? { code: 'INVALID_REQUEST', status, message, issues } : undefined
    case '500 PRICE_INVALID': return { code: 'PRICE_INVALID', status, message }
    case '503 BILLING_UNAVAILABLE': return { code: 'BILLING_UNAVAILABLE', status, message, retryAfterMs }
    default: return undefined
  }
}

function readBudget(budget: unknown): Budget | undefined {
  if (!isObject(budget)) return undefined
  const { scope, window, limit, spent, held, resetsAt } = budget
  if (typeof scope !== 'string' || !isOneOf(WINDOWS, window)) return undefined
  if (typeof limit !== 'number' || typeof spent !== 'number' || typeof held !== 'number') return undefined
  return { scope, window, limit, spent, held, resetsAt: typeof resetsAt === 'string' ? resetsAt : undefined }
}

function isOneOf<T>(values: readonly T[], value: unknown): value is T {
  return values.includes(value as T)
}
