import { AsyncLocalStorage } from 'node:async_hooks'
import type { CallMeter } from './billing/call/call-meter.js'
import { onEnter } from './billing/call/scope.js'
import { FareboxError } from './errors.js'

const calls = new AsyncLocalStorage<CallMeter>()
onEnter((meter, run) => calls.run(meter, run))

const never = new AbortController().signal

/**
 * Counts what a call uses, from anywhere below its handler: a client of a provider counts itself and no handler
 * changes. The route's `used` and `charge` find the counts as `counts`. Outside of a paid call it does nothing.
 *
 * @example
 * import { meter } from '@farebox/core/meter'
 * async function lookUp(domain: string) {
 *   if (meter.signal.aborted) return undefined
 *   meter.unique('domain', domain)
 *   return provider.get(domain)
 * }
 */
export const meter = {
  /**
   * Adds to the count of a unit.
   *
   * @throws FareboxError `ARGUMENT_INVALID` for a quantity that is not a number of 0 or more
   */
  count(unit: string, quantity = 1): void {
    if (typeof quantity !== 'number' || !(quantity >= 0)) throw new FareboxError('ARGUMENT_INVALID', `quantity: expected a number of 0 or more, got ${String(quantity)}`)
    calls.getStore()?.count(unit, quantity)
  },

  /** Counts a value of a unit once, however often it comes. */
  unique(unit: string, value: string): void {
    calls.getStore()?.unique(unit, value)
  },

  /** Credits of this call's ceiling that are not used up by what was counted, at its route's rates; `Infinity` outside of a paid call. */
  remaining(): number {
    return calls.getStore()?.remaining() ?? Infinity
  },

  /**
   * Aborted when the ceiling is used up, for a handler that wants to stop there. One that goes on loses nothing.
   * What used up the last of it is paid for, so it is not to be given to that.
   */
  get signal(): AbortSignal {
    return calls.getStore()?.signal ?? never
  },
}
