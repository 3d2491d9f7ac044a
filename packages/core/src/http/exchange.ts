import { answer, type Answer } from './answer.js'
import { closingHeaders } from './headers.js'
import { keptResponse, replay, type WholeResponse } from './kept-response.js'
import { addMetering } from './metering.js'
import { carriesJson, isEncoded, readJson, type BodyType } from './body-type.js'
import { refusalOf } from './refusals.js'
import { StreamTap, type StreamEnd, type StreamHead } from './stream-tap.js'
import type { Admission, Admitter } from '../billing/admission/admission.js'
import type { Call, OpenCall } from '../billing/call/call.js'
import { callEvent, type Emitter } from '../billing/events.js'
import { isFailure, type Outcome } from '../billing/call/outcome.js'
import type { Settings } from '../billing/options.js'
import type { ListedRoute } from '../billing/prices/price-list.js'
import type { Refused } from '../billing/admission/refused.js'
import type { RefusalCount } from '../billing/admission/refusal-count.js'
import type { Renewal } from '../billing/settlement/renewal.js'
import { withMeter } from '../billing/call/scope.js'
import { readerOf, usageOf } from '../billing/settlement/token-count.js'
import type { TokenReader } from '../tokens/token-reader.js'
import type { Settler } from '../billing/settlement/settlement.js'

/** A response that was held back, as it is about to leave. */
export interface Leaving {
  readonly status: number
  /** The text of a JSON body, where the whole of it is known. */
  readonly json?: string | undefined
  /** All of the response as its handler made it, where that is known; asked for when it has to be kept. */
  whole?(): Omit<WholeResponse, 'status'>
}

/** What to change about the response before it leaves. */
export interface Closing {
  readonly headers: Readonly<Record<string, string>>
  /** The JSON body with metering in it; absent when the body stays as it is. */
  readonly json?: string
}

/** What is known of a response when its head is written. */
export interface Head extends BodyType {
  readonly status: number
  /** Whether the body is complete at this moment, so that nothing waits for bytes still to come. */
  readonly whole: boolean
}

/** What all requests share. */
export interface Desk {
  readonly settings: Settings<never>
  readonly admitter: Admitter
  readonly settler: Settler
  readonly renewal: Renewal
  readonly events: Emitter
  readonly refusals: RefusalCount
}

/**
 * One request on its way through billing. An adapter makes one for each request, enters the routes that the
 * framework reaches and closes it when the response is there; what that means is decided here.
 */
export class Exchange {
  #open: OpenCall | undefined
  #tap: StreamTap | undefined
  #failed = false
  /** Whether a route of the price book has been reached. */
  #reached = false
  /** Whether a call has been settled: it made the response. */
  #settled = false

  constructor(private readonly desk: Desk) {}

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
    return this.#admit(await this.desk.admitter.admit(listed.key, listed.terms, call), listed.key, listed.terms, call)
  }

  /** Runs what is behind a route that was entered, so that the code below can count what it uses. */
  run<T>(next: () => T): T {
    return withMeter(this.#open?.meter, next)
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

  /** Begins a response that streams through. Returns its headers: its charge is known only at its end. */
  stream(head: StreamHead): Readonly<Record<string, string>> {
    if (!this.#open) return {}
    this.#tap = new StreamTap(this.#open, head)
    return this.#tap.headers
  }

  /** Bytes of the stream that pass. */
  passed(chunk: Uint8Array): void {
    this.#tap?.push(chunk)
  }

  /** Settles a call whose response is held, before it is sent. Never rejects. */
  async close(leaving: Leaving): Promise<Closing> {
    const open = this.#take()
    if (!open) return { headers: {} }
    const { status, json } = leaving
    const response = open.idempotency.key !== '' && leaving.whole ? keptResponse({ status, ...leaving.whole() }) : ''
    const receipt = await this.desk.settler.settle(open, this.#outcome(open, leaving), response)
    const headers = closingHeaders(receipt)
    const metered = open.route.metering && json !== undefined ? addMetering(json, receipt) : undefined
    return metered === undefined ? { headers } : { headers, json: metered }
  }

  /** Settles a call whose stream has ended, before that end is sent. Never rejects. */
  async end(status: number): Promise<StreamEnd> {
    const open = this.#take()
    if (!open) return { trailers: {} }
    const receipt = await this.desk.settler.settle(open, this.#outcome(open, { status }), '')
    return this.#tap?.end(receipt) ?? { trailers: {} }
  }

  /**
   * The client has left before the end of the response. Where that had `begun`, the call ends here; else its
   * handler still makes it, and by default what comes of that is what counts. A client that has all of the length that
   * was told has not left early. Never rejects.
   */
  async abort(status: number, begun: boolean): Promise<void> {
    const policy = this.#open?.route.onAbort ?? 'metered'
    if (policy === 'metered' && !begun) return
    const open = this.#take()
    if (!open) return
    if (this.#tap?.isWhole) await this.desk.settler.settle(open, this.#outcome(open, { status }), '')
    else if (policy === 'release' || this.#failed || isFailure(status)) await this.desk.settler.release(open)
    else if (policy === 'ceiling') await this.desk.settler.settleAtCeiling(open)
    else await this.desk.settler.settle(open, this.#outcome(open, { status }, true), '')
  }

  async #admit(admission: Admission, key: string, route: Exclude<ListedRoute['terms'], 'free'>, call: Call): Promise<Answer | undefined> {
    switch (admission.kind) {
      case 'refused': return this.#refuse(admission.refused, key, call)
      case 'replayed':
        if (admission.replayed.response === '') return this.#refuse({ kind: 'result_unavailable' }, key, call)
        return replay(admission.replayed, route)
      case 'admitted':
        this.#open = admission.open
        if (admission.open.reserved) this.desk.renewal.start(admission.open)
        this.desk.events.emit('admitted', callEvent(admission.open))
        return undefined
    }
  }

  /** Where billing only watches, what would have been refused runs, and is counted all the same. */
  #refuse(refused: Refused, route: string, call: Call): Answer | undefined {
    const { refusals, settings: { enforce }, events } = this.desk
    const refusal = refusalOf(refused)
    refusals.count(refusal.code)
    events.emit('refused', { route, code: refusal.code, enforced: enforce })
    return enforce ? answer(refusal, call.header('accept')) : undefined
  }

  async #enterUnlisted(call: Call): Promise<Answer | undefined> {
    const { settings: { unlisted, enforce, logger }, events } = this.desk
    const unsellable = unlisted === 'refuse' && !this.#open
    events.emit('unlisted', { url: call.url, refused: unsellable && enforce })
    if (!unsellable) return undefined
    logger.error(`farebox: ${enforce ? 'refused' : 'would have refused'} ${call.url}: its route is not in the price book`)
    return this.#refuse({ kind: 'price_invalid', route: call.url }, call.url, call)
  }

  /** Takes the call to be settled: once, however many ends a response has. */
  #take(): OpenCall | undefined {
    const open = this.#open
    this.#open = undefined
    if (open) this.#settled = true
    return open
  }

  async #passOn(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    this.#failed = false
    if (open) await this.desk.settler.release(open)
  }

  #outcome(open: OpenCall, leaving: Leaving, brokeOff = false): Outcome {
    const { status, json } = leaving
    if (this.#failed || isFailure(status)) return { kind: 'failed' }
    return { kind: 'succeeded', status, body: () => readJson(json), usage: () => usageOf(open, brokeOff ? this.#tap?.tokensSoFar : this.#told(leaving), brokeOff) }
  }

  /** What tells the tokens of a response: it has passed, or is all there. */
  #told({ json, whole }: Leaving): TokenReader | undefined {
    if (this.#tap) return this.#tap.tokens
    if (json !== undefined) return readerOf('application/json', json)
    const { headers = {}, body = '' } = whole?.() ?? {}
    return isEncoded(headers['content-encoding']) ? undefined : readerOf(headers['content-type'], body)
  }
}
