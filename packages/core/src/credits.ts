import { MAX_AMOUNT } from './ledger/limits.js'

/** 1 credit is a million micro-credits. */
export const MICRO_PER_CREDIT = 1_000_000

/** The most credits that can be counted: 9,007,199,254.740991. */
export const MAX_CREDITS = MAX_AMOUNT / MICRO_PER_CREDIT

/**
 * Credits as an integer of micro-credits, rounded up: whoever sells never gives a fraction away.
 *
 * Binary fractions are forgiven first (`0.1 * 3` is 300,000 micro-credits and not 300,001); what is more than
 * nothing is never 0.
 * Returns `undefined` for what is no amount: NaN, infinite, negative, too large, not a number.
 *
 * @example toMicro(0.1 * 3) // 300000
 */
export function toMicro(credits: unknown): number | undefined {
  if (typeof credits !== 'number' || !(credits >= 0) || credits > MAX_CREDITS) return undefined
  const exact = credits * MICRO_PER_CREDIT
  const nearest = Math.round(exact)
  const noise = Math.max(1e-6, exact * 2 ** -50)
  const micro = Math.abs(exact - nearest) <= noise ? nearest : Math.ceil(exact)
  return credits > 0 ? Math.min(Math.max(micro, 1), MAX_AMOUNT) : 0
}

/** Micro-credits as the decimal people see. */
export function toCredits(micro: number): number {
  return micro / MICRO_PER_CREDIT
}
