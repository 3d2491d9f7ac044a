import type { Refused } from './refused.js'

/** A step on the way to a reservation: what it found, or why the call may not run. */
export type Step<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused'; readonly refused: Refused }

export const ok = <T>(value: T): Step<T> => ({ kind: 'ok', value })
export const refuse = (refused: Refused) => ({ kind: 'refused', refused }) as const
