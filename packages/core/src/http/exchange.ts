import { closingHeaders, ceilingHeader } from './headers.js'
import { addMetering } from './metering.js'
import { answer, type Answer } from './answer.js'
import { refusalOf } from './refusals.js'
import type { Admitter } from '../billing/admission.js'
import type { Call, OpenCall } from '../billing/call.js'
import { isFailure, type Outcome } from '../billing/outcome.js'
import type { Settings } from '../billing/options.js'
import type { ListedRoute } from '../billing/price-list.js'
import type { Renewal } from '../billing/renewal.js'
import type { Settler } from '../billing/settlement.js'

/** The response as it is about to leave. */
export interface Leaving {
  readonly status: number
  /** The text of a JSON body, where the whole of it is known. */
  readonly json?: string | undefined
}

/** What to change about the response before it leaves. */
export interface Closing {
  readonly headers: Readonly<Record<string, string>>
  /** The JSON body with metering in it; absent when the body stays as it is. */
  readonly json?: string
}

/** What is known of a response when its head is written. */
export interface Head {
  readonly status: number
  readonly contentType: string | undefined
  readonly contentEncoding: string | undefined
  /** Whether the body is complete at this moment, so that nothing waits for bytes still to come. */
  readonly whole: boolean
}

/**
 * One request on its way through billing. An adapter makes one for each request, enters the routes that the
 * framework reaches and closes it when the response is there; what that means is decided here.
 */
export class Exchange {
  #open: OpenCall | undefined
  #failed = false
  /** Whether a route of the price book has been reached. */
  #reached = false
  /** Whether a call has been settled: it made the response. */
  #settled = false

  constructor(
    private readonly settings: Settings<never>,
    private readonly admitter: Admitter,
    private readonly settler: Settler,
    private readonly renewal: Renewal,
  ) {}

  /** Whether there is a call to settle. */
  get billed(): boolean {
    return this.#open !== undefined
  }

  /**
   * Called where the framework has reached a route's handlers and before they run.
   *
   * A request can reach several routes when one passes it on: the last one in the price book is the one that
   * is paid, unless an earlier one was to be paid and the request has been `responded` to. What a middleware
   * has sent before any route was reached makes no call free. A route that is not in the price book changes nothing.
   *
   * @returns the answer to give instead of running the handlers, or `undefined`: run them
   */
  async enter(listed: ListedRoute | undefined, call: Call, responded: boolean): Promise<Answer | undefined> {
    if (!listed) return responded && this.#reached ? undefined : this.#enterUnlisted(call)
    this.#reached = true
    if (responded && (this.#open || this.#settled)) return undefined
    await this.#passOn()
    if (listed.terms === 'free') return undefined
    const admission = await this.admitter.admit(listed.key, listed.terms, call)
    if (admission.kind === 'refused') return answer(refusalOf(admission.refused), call.header('accept'))
    this.#open = admission.open
    this.renewal.start(admission.open)
    return undefined
  }

  /** The handler threw: the call costs nothing, whatever is answered. */
  threw(): void {
    this.#failed = true
  }

  /** Whether the response has to be held back until it is settled; otherwise it streams through. */
  holds({ status, contentType, contentEncoding, whole }: Head): boolean {
    if (!this.#open) return false
    return whole || isFailure(status) || carriesJson({ contentType, contentEncoding })
  }

  /** The headers of a response that streams through: its charge is known only at its end. */
  streaming(): Readonly<Record<string, string>> {
    return this.#open ? ceilingHeader(this.#open.ceiling) : {}
  }

  /** Settles the call. For a held response, before it is sent; for a stream, at its end. Never rejects. */
  async close(leaving: Leaving): Promise<Closing> {
    const open = this.#open
    this.#open = undefined
    if (!open) return { headers: {} }
    this.#settled = true
    const receipt = await this.settler.settle(open, this.#outcome(leaving))
    const headers = closingHeaders(receipt)
    const json = open.route.metering && leaving.json !== undefined ? addMetering(leaving.json, receipt) : undefined
    return json === undefined ? { headers } : { headers, json }
  }

  async #enterUnlisted(call: Call): Promise<Answer | undefined> {
    if (this.settings.unlisted === 'free' || this.#open) return undefined
    this.settings.logger.error(`farebox: refused ${call.url}: its route is not in the price book`)
    return answer(refusalOf({ kind: 'price_invalid', route: call.url }), call.header('accept'))
  }

  async #passOn(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.#failed = false
    if (open) await this.settler.release(open)
  }

  #outcome({ status, json }: Leaving): Outcome {
    if (this.#failed || isFailure(status)) return { kind: 'failed' }
    return { kind: 'succeeded', status, body: () => readJson(json) }
  }
}

/** Whether the text of a body is JSON that can be read and added to: what `close` takes as `json`. */
export function carriesJson({ contentType, contentEncoding }: Pick<Head, 'contentType' | 'contentEncoding'>): boolean {
  return isJson(contentType) && !isEncoded(contentEncoding)
}

function isJson(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json *(?:;|$)/i.test(contentType)
}

function isEncoded(contentEncoding: string | undefined): boolean {
  return contentEncoding !== undefined && contentEncoding !== 'identity'
}

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
