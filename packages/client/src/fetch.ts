import { askEstimate, type Estimate, type NoEstimate } from './estimate.js'
import { readRequest, toCall } from './request.js'
import { send, type Refused, type SendOptions } from './send.js'

export interface FareboxOptions extends SendOptions {
  /** The most this call may cost, in credits: it is estimated first (free), and not sent when it could cost more. */
  readonly maxCredits?: number
}

/** What a call came to. */
export type Outcome =
  /** The API answered, with whatever status: what `fetch` would have given. */
  | { readonly kind: 'response'; readonly response: Response; readonly credits: Credits; readonly replayed: boolean }
  /** Billing refused the call, after retries where they could help; it cost nothing. `response` can still be read. */
  | Refused
  /** The call was not sent: it could cost more than `maxCredits`. */
  | { readonly kind: 'too_expensive'; readonly estimate: Estimate; readonly maxCredits: number }
  /** The call was not sent: what it costs at most is not known. */
  | NoEstimate

/** What the response says of its cost, in credits. A stream says only its ceiling, a free route nothing. */
export interface Credits {
  readonly ceiling: number | undefined
  readonly charged: number | undefined
  readonly remaining: number | undefined
}

/**
 * `fetch` for an API that Farebox bills. One call is paid once, however often it is sent: each attempt carries the
 * same Idempotency-Key, one made here where the request has none and its method is not GET, HEAD or OPTIONS.
 * The whole body is read before the first attempt, a stream's too, so that every attempt sends the same bytes.
 *
 * Sent again, with the pause that Retry-After asks for (RFC 9110, section 10.2.3): a call that only other calls
 * in flight stand in the way of, one that is still being answered, one that billing could not check, and, under
 * a key, one that the network lost. No other refusal can end differently, so it is returned at once.
 *
 * @throws what `fetch` throws: the network's error when attempts are used up, the signal's reason when it aborts
 * @example
 * const outcome = await fareboxFetch('https://api.example.com/v1/render', { method: 'POST', body: '{}' }, { maxCredits: 20 })
 * if (outcome.kind === 'response') console.log(outcome.response.status, outcome.credits.charged)
 */
export async function fareboxFetch(input: string | URL | Request, init: RequestInit = {}, options: FareboxOptions = {}): Promise<Outcome> {
  const original = await readRequest(input, init)
  const { maxCredits } = options
  if (maxCredits !== undefined) {
    const asked = await askEstimate(original, options)
    if (asked.kind !== 'estimated') return asked
    const { estimate } = asked
    // Not `>`: a maxCredits that is no number allows nothing.
    if (!(estimate.estimatedMaxCredits <= maxCredits)) return { kind: 'too_expensive', estimate, maxCredits }
  }
  const sent = await send(toCall(original), options)
  return sent.kind === 'refused' ? sent : { ...sent, ...readHeaders(sent.response.headers) }
}

function readHeaders(headers: Headers): { credits: Credits; replayed: boolean } {
  const credits = (name: string) => {
    const value = headers.get(name)
    return value === null ? undefined : Number(value)
  }
  return {
    credits: { ceiling: credits('Credits-Ceiling'), charged: credits('Credits-Charged'), remaining: credits('Credits-Remaining') },
    replayed: headers.get('Idempotent-Replayed') === 'true',
  }
}
