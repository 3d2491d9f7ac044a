import type { Route as Terms } from '@farebox/core'
import type { Route } from './gate.js'

const sold = new WeakMap<object, Terms>()

/** Remembers a handler as one that `billable` made. */
export function markSold(handler: object, terms: Terms): void {
  sold.set(handler, terms)
}

/** The terms of a Route that `billable` prices for this method. */
export function billableFor({ stack }: Route, method: string): Terms | undefined {
  const name = method.toLowerCase()
  const takes = (of: string | undefined) => !of || of === name || method === 'ALL' || (name === 'head' && of === 'get')
  const layer = stack.find(({ handle, method: of }) => sold.has(handle as object) && takes(of))
  return layer && sold.get(layer.handle as object)
}
