import type { Budget, Insufficient, OverBudget } from '../../ledger/commands.js'
import type { Call } from '../call/call.js'
import { priceContext } from '../prices/context.js'
import { priceOf } from '../prices/pricing.js'
import type { Quote } from './quoting.js'
import type { Remedy } from './refused.js'
import type { Route } from '../prices/route.js'
import { parse } from '../prices/schema.js'

export async function remedyOf({ freesAt, now, available }: Insufficient, route: Route, call: Call, quote: Quote): Promise<Remedy> {
  if (freesAt > 0) return { kind: 'retry', afterMs: freesAt - now }
  return await smallerFits(available, route, call, quote) ? { kind: 'reduce' } : { kind: 'top_up' }
}

/** When calls of a budget that are in flight end nobody knows: they may be asked for again soon. */
const SOON_MS = 1_000

/** Of a budget that can't cover the call. */
export async function budgetRemedyOf({ required, spent, held, now, resetsAt }: OverBudget, { limit }: Budget, route: Route, call: Call, quote: Quote): Promise<Remedy> {
  if (spent + required <= limit) return { kind: 'retry', afterMs: SOON_MS }
  if (await smallerFits(limit - spent - held, route, call, quote)) return { kind: 'reduce' }
  return { kind: 'raise_limit', ...(resetsAt > 0 && { afterMs: resetsAt - now }) }
}

async function smallerFits(available: number, route: Route, call: Call, { account, body }: Quote): Promise<boolean> {
  for (const smaller of smallerBodies(body)) {
    const parsed = route.body && await parse(route.body, smaller)
    if (parsed?.kind !== 'valid') continue
    const price = priceOf(route, priceContext(call, account, parsed.value))
    if (price.kind === 'amount' && price.micro <= available) return true
  }
  return false
}

/** Characters. */
const SHORT = 32

/**
 * The least that might still be a request to the same route. Only the route knows what makes it cheaper, so it is
 * asked: with one item in each list, with numbers of 1, with texts, or only long ones, cut to a letter, and with all of these.
 */
function smallerBodies(body: unknown): readonly unknown[] {
  if (typeof body !== 'object' || body === null) return []
  const list: Cut['list'] = (items) => items.slice(0, 1)
  const number: Cut['number'] = (value) => Math.min(value, 1)
  const text: Cut['text'] = (value) => value.slice(0, 1)
  // A short text may be one of a few that the schema knows.
  const longText: Cut['text'] = (value) => (value.length > SHORT ? value.slice(0, 1) : value)
  return [{ list }, { number }, { list, number }, { list, number, text: longText }, { list, number, text }].map((cut) => shrink(body, cut))
}

interface Cut {
  readonly list?: (list: readonly unknown[]) => readonly unknown[]
  readonly number?: (number: number) => number
  readonly text?: (text: string) => string
}

function shrink(value: unknown, cut: Cut): unknown {
  if (typeof value === 'number') return cut.number?.(value) ?? value
  if (typeof value === 'string') return cut.text?.(value) ?? value
  if (Array.isArray(value)) return (cut.list?.(value) ?? value).map((item) => shrink(item, cut))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shrink(member, cut)]))
}
