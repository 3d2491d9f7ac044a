import type { TokenUsage } from '../../tokens/token-reader.js'
import type { Schema } from './schema.js'

/** What a price is computed from. */
export interface PriceContext<Body = unknown> {
  /** The request body as the route's schema returned it; `undefined` for a route without a schema. */
  readonly body: Body
  /** Path parameters, as the framework decoded them. */
  readonly params: Readonly<Record<string, string>>
  /** The query string as the framework gives it to handlers; a name that comes more than once has all its values. */
  readonly query: Query
  /** A request header by its name in any case. */
  header(name: string): string | undefined
  readonly account: string
}

/** For how long a call or an operation keeps its reservation where its route does not say, ms. */
export const MAX_DURATION_MS = 600_000

export interface Query {
  readonly [name: string]: QueryValue
}

/** Deeper than one list only where the framework's query parser nests, as qs does in Express. */
export type QueryValue = string | readonly QueryValue[] | Query | undefined

/** What a charge is computed from, after the handler succeeded. */
export interface ChargeContext<Body = unknown, Response = unknown> extends PriceContext<Body> {
  readonly response: {
    readonly status: number
    /** The JSON body, through the route's `response` schema where it has one; `undefined` when it was no JSON. */
    readonly body: Response
  }
  /** The price of this call, in credits. */
  readonly ceiling: number
  /** What the code below the handler counted with `meter` of `@farebox/core/meter`. */
  readonly counts: Quantities<string>
  /** The tokens that an OpenAI- or Anthropic-shaped response says it used; only where `tokenUsage` prices the route. */
  readonly usage: TokenUsage | undefined
}

/** How many of each unit; one left out counts 0. */
export type Quantities<Unit extends string> = { readonly [Name in Unit]?: number }

/** One line of a receipt. */
export interface ChargeItem {
  readonly unit: string
  readonly quantity: number
  readonly credits: number
}

/** A charge with the lines that make it up. */
export interface ItemizedCharge {
  readonly credits: number
  readonly items: readonly ChargeItem[]
}

/**
 * How one route is sold. A function that computes credits may return any decimal; it is rounded up to a
 * micro-credit.
 *
 * @example
 * const route: Route<{ count: number }> = { product: 'personas', body: Input, price: ({ body }) => 2 + 3 * body.count }
 */
export interface Route<Body = unknown, Response = unknown> {
  /** What usage is reported under. */
  readonly product: string
  /** The request body's schema. A body that fails it is answered 422, free; the handler gets the body as it came. */
  readonly body?: Schema<Body>
  /** The response body's schema, for `charge`. */
  readonly response?: Schema<Response>
  /** The most the call can cost, in credits: a number, or computed from its inputs. */
  readonly price: number | ((context: PriceContext<Body>) => number)
  /** What a successful call did cost, in credits; never more than the price is taken. Default: the price. */
  readonly charge?: (context: ChargeContext<Body, Response>) => number | ItemizedCharge
  /** Credits a unit, as `metered` sets it: what a report of the routes shows. */
  readonly rates?: Readonly<Record<string, number>>
  /** Adds `"metering": {"creditsCharged", "estimatedMaxCredits"}` to a JSON object in the response. Default false. */
  readonly metering?: boolean
  /** For how long a running call keeps its reservation, and a pending operation its own, in ms. Default 10 minutes. */
  readonly maxDuration?: number
  /**
   * Names the operation that a 202 has begun: its reservation stays open under this id until
   * `operations.succeed` or `.fail` ends it. Without it a 202 is a success like any other.
   */
  readonly operation?: (context: ChargeContext<Body, Response>) => string
  /**
   * What a call costs whose client leaves before the end: what is metered by then (until a byte has left, what the
   * handler ends with), its ceiling, or nothing. Default `'metered'`.
   */
  readonly onAbort?: 'metered' | 'ceiling' | 'release'
  /** Who may be asked for this call, for its estimate. */
  readonly providers?: readonly string[]
  /** What its estimate says until enough calls were seen: credits (default: the ceiling) and latency in ms. */
  readonly expected?: { readonly credits?: number; readonly lowMs?: number; readonly highMs?: number }
  /** The most tokens the call can use, as `tokenUsage` sets it: its response is read for the tokens that it used. */
  readonly tokens?: (context: PriceContext<Body>) => Quantities<'input' | 'output'>
}

/**
 * Routes and their prices by key: the method and the path as the framework has it registered, parameters and
 * all, from the root of the app. `'free'` lists a route that costs nothing.
 */
export type PriceBook<Bodies, Responses> = {
  readonly [Key in keyof Bodies]: 'free' | Route<Bodies[Key], At<Responses, Key>>
} & {
  // The second half only makes room for inferring each route's response type from its schema.
  readonly [Key in keyof Responses]: 'free' | { readonly response?: Schema<Responses[Key]> }
}

type At<Types, Key> = Key extends keyof Types ? Types[Key] : unknown

/**
 * Types a price book that is written apart from `billing`: each route's `body` flows from its schema into
 * `price` and `charge`. Returns the book as it is.
 *
 * @example
 * const prices = priceBook({
 *   'POST /v1/personas/generate': { product: 'personas', body: GenerateInput, price: ({ body }) => 2 + 3 * body.count },
 *   'GET /health': 'free',
 * })
 */
export function priceBook<Bodies, Responses>(book: PriceBook<Bodies, Responses>): PriceBook<Bodies, Responses> {
  return book
}
