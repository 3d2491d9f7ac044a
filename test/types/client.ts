// Compiled, never run: what a caller knows of an outcome once it has looked at `kind` and `code`.
import { estimate, fareboxFetch, type Budget, type Credits, type Estimate, type Outcome, type Refusal } from '@farebox/client'
import { notAny, same } from './same.js'

function all(outcome: Outcome): void {
  switch (outcome.kind) {
    case 'response':
      same<Response>()(outcome.response)
      same<Credits>()(outcome.credits)
      same<number | undefined>()(outcome.credits.charged)
      same<boolean>()(outcome.replayed)
      return
    case 'refused':
      same<Refusal>()(outcome.refusal)
      same<Response>()(outcome.response)
      refused(outcome.refusal)
      return
    case 'too_expensive':
      same<Estimate>()(outcome.estimate)
      same<number>()(outcome.maxCredits)
      // @ts-expect-error nothing was sent
      notAny(outcome.response.status)
      return
    case 'no_estimate':
      same<Response>()(outcome.response)
      // @ts-expect-error nothing is known
      notAny(outcome.estimate)
      return
    default: same<never>()(outcome)
  }
}

function refused(refusal: Refusal): void {
  same<number>()(refusal.status)
  same<string>()(refusal.message)
  // @ts-expect-error only some have it
  notAny(refusal.required)
  switch (refusal.code) {
    case 'PAYMENT_REQUIRED':
      same<'top_up' | 'reduce' | 'retry' | 'raise_limit'>()(refusal.remedy)
      same<Budget | undefined>()(refusal.budget)
      if (refusal.budget) {
        same<'day' | 'month' | 'total'>()(refusal.budget.window)
        same<number>()(refusal.budget.limit)
        same<string | undefined>()(refusal.budget.resetsAt)
      }
      same<number | undefined>()(refusal.retryAfterMs)
      same<number>()(refusal.required)
      same<number>()(refusal.available)
      same<number>()(refusal.reserved)
      // @ts-expect-error this is of another refusal
      notAny(refusal.maxCeiling)
      return
    case 'CEILING_TOO_HIGH':
      same<number>()(refusal.required)
      same<number>()(refusal.maxCeiling)
      // @ts-expect-error waiting does not help
      notAny(refusal.retryAfterMs)
      return
    case 'INVALID_REQUEST':
      same<readonly { readonly field: string; readonly message: string }[]>()(refusal.issues)
      return
    case 'IDEMPOTENCY_IN_PROGRESS':
    case 'BILLING_UNAVAILABLE':
      same<number | undefined>()(refusal.retryAfterMs)
      return
    case 'UNAUTHENTICATED':
    case 'IDEMPOTENCY_RESULT_UNAVAILABLE':
    case 'IDEMPOTENCY_MISMATCH':
    case 'PRICE_INVALID':
      // @ts-expect-error it has nothing more
      notAny(refusal.retryAfterMs)
      return
    default: same<never>()(refusal)
  }
}

all(await fareboxFetch('https://api.test'))
all(await fareboxFetch(new URL('https://api.test'), { method: 'POST', body: new FormData() }))
all(await fareboxFetch(new Request('https://api.test'), {}, { maxCredits: 5, attempts: 2, maxWait: 1000, fetch, sleep: async (ms, signal) => { same<number>()(ms); same<AbortSignal>()(signal) } }))
// @ts-expect-error a limit is a number
fareboxFetch('https://api.test', {}, { maxCredits: '5' })
// @ts-expect-error `retries` is no option
fareboxFetch('https://api.test', {}, { retries: 5 })
// @ts-expect-error an estimate has no limit
estimate('https://api.test', {}, { maxCredits: 5 })

const estimated = await estimate('https://api.test', { method: 'POST' })
notAny(estimated)
same<'estimated' | 'refused' | 'no_estimate'>()(estimated.kind)
if (estimated.kind === 'estimated') same<number>()(estimated.estimate.estimatedMaxCredits)
