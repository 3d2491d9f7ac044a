/** What can go wrong as a fault. Codes are stable; messages are for people. */
export type ErrorCode =
  /** Options or price book are wrong; the message lists every fault. */
  | 'OPTIONS_INVALID'
  /** An argument of a method is wrong; the message names it. */
  | 'ARGUMENT_INVALID'
  /** `metered` was given a unit without a rate, or a quantity that is none. */
  | 'PRICE_INVALID'
  /** The store did not answer, or answered with an error. */
  | 'STORE_UNAVAILABLE'
  /** The store was set up with other settings than the ones given now. */
  | 'STORE_MISMATCH'
  /** The journal's sink did not take what it was sent. */
  | 'SINK_FAILED'
  /** `billable` ran on a request that no `billing` middleware had seen. */
  | 'BILLING_NOT_MOUNTED'
  /** A request met two different billings: neither can tell what the other sells. */
  | 'BILLING_MOUNTED_TWICE'

const brand = Symbol.for('farebox.error')

/**
 * The one error class. Expected outcomes (402, a grant's id used twice) are return values; this is thrown for
 * faults only.
 *
 * @example
 * try { billing({ account, store: 'redis' }) } catch (error) {
 *   if (isFareboxError(error)) console.error(error.code, error.message)
 * }
 */
export class FareboxError extends Error {
  override readonly name = 'FareboxError'
  readonly [brand] = true

  constructor(readonly code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
  }
}

/** Whether a value is a `FareboxError`, also one of another copy of this package. */
export function isFareboxError(value: unknown): value is FareboxError {
  return typeof value === 'object' && value !== null && brand in value
}
