import { isObject } from './is-object.js'
import { readRequest, toEstimate, type Original } from './request.js'
import { send, type Refused, type SendOptions } from './send.js'

/** What a call is likely to cost and take. */
export interface Estimate {
  /** Credits. */
  readonly estimatedCredits: number
  /** The most it can cost, in credits. */
  readonly estimatedMaxCredits: number
  readonly likelySyncOrAsync: 'sync' | 'async'
  /** Milliseconds. */
  readonly expectedLatencyRange: { readonly lowMs: number; readonly highMs: number }
  readonly providersLikelyUsed: readonly string[]
  readonly withinPlanLimits: boolean
}

export type Estimated = { readonly kind: 'estimated'; readonly estimate: Estimate } | Refused | NoEstimate

/** The route has no estimate: it is free, it does not exist, or its answer is something else, which is in `response`. */
export interface NoEstimate {
  readonly kind: 'no_estimate'
  readonly response: Response
}

/**
 * What this very request would cost, asked of `POST <path>/estimate`. Nothing is called and nothing is paid.
 *
 * @throws what `fetch` throws
 * @example
 * const estimated = await estimate('https://api.example.com/v1/render', { method: 'POST', body: '{}' })
 * if (estimated.kind === 'estimated') console.log(estimated.estimate.estimatedMaxCredits)
 */
export async function estimate(input: string | URL | Request, init: RequestInit = {}, options: SendOptions = {}): Promise<Estimated> {
  return askEstimate(await readRequest(input, init), options)
}

export async function askEstimate(original: Original, options: SendOptions): Promise<Estimated> {
  const sent = await send(toEstimate(original), options)
  if (sent.kind === 'refused') return sent
  const { response } = sent
  const body: unknown = response.ok ? await response.clone().json().catch(() => undefined) : undefined
  return isEstimate(body) ? { kind: 'estimated', estimate: body } : { kind: 'no_estimate', response }
}

/** Looks at what decides over credits; the rest is as the server says. */
function isEstimate(body: unknown): body is Estimate {
  return isObject(body) && typeof body.estimatedCredits === 'number' && typeof body.estimatedMaxCredits === 'number'
}
