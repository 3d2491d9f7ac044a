import { FareboxError } from '../../errors.js'
import type { ChargeContext, ChargeItem, ItemizedCharge, PriceContext, Quantities, Route } from './route.js'
import type { Schema } from './schema.js'

/** How a route that is charged by the unit is sold. */
export interface Metered<Body, Response, Unit extends string> {
  readonly body?: Schema<Body>
  readonly response?: Schema<Response>
  /** Credits a unit. */
  readonly rates: Readonly<Record<Unit, number>>
  /** The most units the call can use, from its inputs. A unit left out counts 0. */
  readonly ceiling: (context: PriceContext<Body>) => Quantities<NoInfer<Unit>>
  /**
   * The units the call did use. Default: what `meter` of `@farebox/core/meter` counted below the handler; a unit counted
   * there that has no rate breaks the charge, and the price is taken: one that costs nothing has the rate 0.
   */
  readonly used?: (context: ChargeContext<Body, Response>) => Quantities<NoInfer<Unit>>
}

/** What `metered` returns: the pricing half of a route. */
export type MeteredPricing<Body, Response> =
  Pick<Route<Body, Response>, 'body' | 'response'> & Required<Pick<Route<Body, Response>, 'price' | 'charge' | 'rates'>>

/**
 * Prices a route by units: the ceiling is the most it can use times the rates, the charge what it did use
 * times the rates, with a receipt line for each unit.
 *
 * The schemas go in here, so that their types reach `ceiling` and `used`.
 *
 * @example
 * 'POST /api/companies/search': {
 *   product: 'company-search',
 *   ...metered({
 *     body: SearchInput, response: SearchResult,
 *     rates: { domain: 1 },
 *     ceiling: ({ body }) => ({ domain: new Set(body.domains).size }),
 *     used: ({ response }) => ({ domain: response.body.consulted.length }),
 *   }),
 * }
 */
export function metered<Body, Response, const Unit extends string>(
  { body, response, rates, ceiling, used }: Metered<Body, Response, Unit>,
): MeteredPricing<Body, Response> {
  return {
    ...(body && { body }),
    ...(response && { response }),
    rates,
    price: (context) => itemize(rates, ceiling(context)).credits,
    charge: (context) => itemize(rates, used ? used(context) : context.counts),
  }
}

/** What quantities cost at these rates, line by line. @throws FareboxError `PRICE_INVALID` for a unit without a rate or a quantity that is none */
export function itemize(rates: Readonly<Record<string, number>>, quantities: Quantities<string>): ItemizedCharge {
  const items = Object.entries(quantities).map(([unit, quantity]): ChargeItem => {
    const rate = Object.hasOwn(rates, unit) ? rates[unit] : undefined
    if (rate === undefined) throw new FareboxError('PRICE_INVALID', `unit "${unit}" has no rate; rates has: ${Object.keys(rates).join(', ')}`)
    if (typeof quantity !== 'number' || !(quantity >= 0)) {
      throw new FareboxError('PRICE_INVALID', `unit "${unit}": expected a quantity of 0 or more, got ${String(quantity)}`)
    }
    return { unit, quantity, credits: rate * quantity }
  })
  return { credits: items.reduce((sum, { credits }) => sum + credits, 0), items }
}
