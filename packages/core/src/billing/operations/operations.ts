import { Emitter } from '../events.js'
import { Learning } from '../learning/learning.js'
import type { BillingOptions } from '../options.js'
import { parseOptions } from '../parse-options.js'
import { Watcher } from '../thresholds/watcher.js'
import type { Failure, Success } from './operation-end.js'
import { OperationsDesk } from './operations-desk.js'

/** How an operation stands. Amounts in credits, times in ms since the epoch. */
export type OperationOutcome =
  | {
      /** `expired`: nobody finished it in time, it cost nothing. Finished all the same, it is charged late. */
      readonly kind: 'pending' | 'succeeded' | 'failed' | 'expired'
      readonly operation: string
      readonly account: string
      readonly ceiling: number
      readonly charge: number
      /** What a late charge could not take any more. */
      readonly shortfall: number
      readonly late: boolean
    }
  /** There is no operation of this id, or not any more: nothing was charged. */
  | { readonly kind: 'unknown' }

/**
 * Ends operations, from any process that has the store. The first end is the one that counts: every later one
 * answers what that was.
 */
export interface Operations {
  /**
   * Ends an operation with what it cost, never more than its price. A store that can't be reached is tried again for a
   * minute; then the end is logged, for known spend is never dropped without a record.
   *
   * @throws FareboxError `ARGUMENT_INVALID`; `PRICE_INVALID` for usage that the route has no rate for;
   * `STORE_UNAVAILABLE`, then sending it again is safe
   * @example await bill.operations.succeed(id, { usage: { source: 4 }, result: { answer } })
   */
  succeed(operation: string, success?: Success): Promise<OperationOutcome>
  /** Ends an operation that failed, at no cost. Throws as `succeed` does. */
  fail(operation: string, failure?: Failure): Promise<OperationOutcome>
  /** Says how far an operation has come, for whoever polls it. Throws as `succeed` does. */
  progress(operation: string, progress: unknown): Promise<OperationOutcome>
  /** Keeps an operation open for `ms` from now, never for less than before. Throws as `succeed` does. */
  extend(operation: string, ms: number): Promise<OperationOutcome>
}

/**
 * What ends operations in a process that serves no requests: a worker.
 *
 * @param options `storeTimeout` in ms, default 1,000; `on`, `onThreshold`, `autoTopUp` and `logger` as in `billing`
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * const ends = operations({ store: redisStore(process.env.REDIS_URL) })
 * await ends.succeed(job.operationId, { charge: 20, result })
 */
export function operations(options: Pick<BillingOptions<unknown>, 'store' | 'storeTimeout' | 'on' | 'onThreshold' | 'autoTopUp' | 'logger'>): Operations {
  const settings = parseOptions({ account: () => undefined, ...options })
  const events = new Emitter(settings.on, settings.logger)
  return new OperationsDesk(settings, events, new Learning(settings.store, settings.storeTimeout), new Watcher(settings, events))
}
