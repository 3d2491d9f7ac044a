import { toCredits } from '../credits.js'
import type { NamedCall } from './call/call.js'
import type { ChargeItem } from './prices/route.js'
import type { Logger } from './logger.js'
import type { BelowThreshold, UsedThreshold } from './options.js'

/** A call, as every event names it. `route` is its key in the price book. */
export interface CallEvent {
  readonly route: string
  readonly account: string
  /** The id under which its credits are set aside: the reference of its ledger entry. */
  readonly reservation: string
  /** The most it can cost, credits. */
  readonly ceiling: number
}

/** A threshold, and how the account stood when that was seen. Credits. */
export type ThresholdEvent = { readonly account: string; readonly balance: number; readonly available: number } & (BelowThreshold | UsedThreshold)

/** What billing tells as it happens. Amounts in credits, times in ms. */
export interface Events {
  /** Its credits are set aside, or `onStoreError` lets it run without, and its handler is about to run. */
  readonly admitted: CallEvent
  /** A call was refused with this code of DESIGN's; with `enforce: false` it would have been, and ran. */
  readonly refused: { readonly route: string; readonly code: string; readonly enforced: boolean }
  /** A call ended and was charged; `pending` while the store has not confirmed it. */
  readonly settled: CallEvent & { readonly product: string; readonly charge: number; readonly items: readonly ChargeItem[]; readonly durationMs: number; readonly pending: boolean }
  /** A call ended and costs nothing. */
  readonly released: CallEvent & { readonly durationMs: number; readonly pending: boolean }
  /** The reservation ran out before its call ended. */
  readonly expired: CallEvent
  /** A call cost more than its ceiling, which is what was charged. */
  readonly clamped: CallEvent & { readonly cost: number }
  /** The charge came after the reservation had expired. */
  readonly late: CallEvent & { readonly charge: number; readonly shortfall: number }
  /** Known spend that the account could not cover any more. */
  readonly shortfall: CallEvent & { readonly shortfall: number }
  /** The balance has passed one of `onThreshold`: told once, in one of all processes. */
  readonly threshold: ThresholdEvent
  /** A route ran, or was refused, that is not in the price book. */
  readonly unlisted: { readonly url: string; readonly refused: boolean }
}

/** What to call when something happens. */
export type Listeners = { readonly [Name in keyof Events]?: (event: Events[Name]) => void | Promise<void> }

export function callEvent({ key, account, reservation, ceiling }: NamedCall): CallEvent {
  return { route: key, account, reservation, ceiling: toCredits(ceiling) }
}

/** Tells listeners, and the log of what a person should look at. Amounts in credits. */
export class Emitter {
  constructor(private readonly listeners: Listeners, private readonly logger: Logger) {}

  clamped(call: CallEvent, cost: number): void {
    this.logger.warn(`farebox: ${call.route} cost ${cost} credits, clamped to its price of ${call.ceiling}`)
    this.emit('clamped', { ...call, cost })
  }

  late(call: CallEvent, charge: number, shortfall: number): void {
    this.logger.warn(`farebox: ${call.route}: account ${JSON.stringify(call.account)} was charged ${charge} credits late, ${shortfall} more could not be taken`)
    this.emit('late', { ...call, charge, shortfall })
    if (shortfall > 0) this.emit('shortfall', { ...call, shortfall })
  }

  /** What a listener throws or rejects with is logged and changes nothing else. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    const failed = (error: unknown) => this.logger.error(`farebox: the listener of "${name}" failed`, error)
    try {
      const told: unknown = this.listeners[name]?.(event)
      if (told instanceof Promise) told.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}
