import { MAX_CREDITS, toMicro } from '../../credits.js'
import type { ChargeContext, ChargeItem, PriceContext, Route } from './route.js'
import { parse } from './schema.js'

/** What came out of a route's own pricing. */
export type Amount =
  | { readonly kind: 'amount'; readonly micro: number; readonly items: readonly ChargeItem[] }
  | { readonly kind: 'broken'; readonly reason: string; readonly cause?: unknown }

/** The most a call can cost, micro-credits. */
export function priceOf(route: Route, context: PriceContext): Amount {
  const { price } = route
  return typeof price === 'number' ? amountOf(price) : guarded('price', () => price(context))
}

/** What a successful call cost, micro-credits, before it is held against the ceiling. */
export async function chargeOf({ charge, response: schema }: Route, context: ChargeContext, ceiling: number): Promise<Amount> {
  if (!charge) return { kind: 'amount', micro: ceiling, items: [] }
  if (!schema) return guarded('charge', () => charge(context))
  const body = await parse(schema, context.response.body)
  if (body.kind === 'threw') return { kind: 'broken', reason: 'the response schema threw', cause: body.cause }
  if (body.kind === 'invalid') {
    return { kind: 'broken', reason: `the response does not fit the route's schema: ${body.issues.map((i) => `${i.field} ${i.message}`).join('; ')}` }
  }
  return guarded('charge', () => charge({ ...context, response: { ...context.response, body: body.value } }))
}

function guarded(name: string, compute: () => unknown): Amount {
  try {
    return amountOf(compute())
  } catch (cause) {
    return { kind: 'broken', reason: `${name} threw`, cause }
  }
}

function amountOf(result: unknown): Amount {
  const itemized = typeof result === 'object' && result !== null && 'credits' in result
    ? result as { readonly credits: unknown; readonly items?: readonly ChargeItem[] }
    : { credits: result }
  const { credits, items = [] } = itemized
  // It is refused, and nobody else will listen when it rejects: that would end the process.
  if (credits instanceof Promise) credits.catch(() => {})
  const micro = toMicro(credits)
  if (micro === undefined) return { kind: 'broken', reason: `expected credits from 0 to ${MAX_CREDITS}, got ${describe(credits)}` }
  if (!Array.isArray(items) || !items.every(isItem)) return { kind: 'broken', reason: 'expected items to be a list of { unit, quantity, credits }' }
  return { kind: 'amount', micro, items: items.map(({ unit, quantity, credits }) => ({ unit, quantity, credits })) }
}

/** Items go into the ledger as JSON, so they have to be what they are said to be. */
function isItem(item: Partial<ChargeItem> | null | undefined): item is ChargeItem {
  return typeof item?.unit === 'string' && Number.isFinite(item.quantity) && Number.isFinite(item.credits)
}

function describe(value: unknown): string {
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'number' ? String(value) : `a value of type ${typeof value}`
}
