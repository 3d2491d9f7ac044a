import { metered } from './metered.js'
import type { PriceContext, Quantities, Route } from './route.js'
import type { Schema } from './schema.js'
import { FareboxError } from '../../errors.js'
import type { TokenUsage } from '../../tokens/token-reader.js'

/** Credits a token: decimals, such as 0.0025 for 2.5 credits a thousand. */
export type TokenRates = {
  readonly input: number
  readonly output: number
  /** A token of the prompt that the provider's cache held. Default: as any other of the input. */
  readonly cachedInput?: number
  /** A token of the prompt that was written to that cache. Default: as any other of the input. */
  readonly cacheWrite?: number
}

/** How a route is sold that answers with what an LLM generated. */
export interface TokenMetered<Body> {
  readonly body?: Schema<Body>
  readonly rates: TokenRates
  /** The most tokens the call can use, from its inputs. One left out counts 0. */
  readonly ceiling: (context: PriceContext<Body>) => Quantities<'input' | 'output'>
}

/** What `tokenUsage` returns: the pricing half of a route. */
export type TokenPricing<Body> = Pick<Route<Body>, 'body'> & Required<Pick<Route<Body>, 'price' | 'charge' | 'rates' | 'tokens'>>

/**
 * Prices a route by the tokens an LLM used: the ceiling is the most it can use times the rates, the charge what
 * the response says it did use, with a receipt line for each kind of token.
 *
 * The handler passes on what OpenAI or Anthropic answers, JSON or a stream, unchanged; its usage is read as it
 * passes. A stream of OpenAI's chat completions tells it only with `stream_options: { include_usage: true }`.
 * Of a response that tells none the price is taken. No tokenizer makes more tokens of a text than it has bytes.
 *
 * @example
 * 'POST /v1/chat/completions': {
 *   product: 'chat',
 *   ...tokenUsage({
 *     body: ChatInput,
 *     rates: { input: 0.0025, output: 0.01, cachedInput: 0.00125 },
 *     ceiling: ({ body }) => ({ input: bytesOf(JSON.stringify(body.messages)), output: body.max_tokens }),
 *   }),
 * }
 * const bytesOf = (text: string) => new TextEncoder().encode(text).length
 */
export function tokenUsage<Body>({ body, rates, ceiling }: TokenMetered<Body>): TokenPricing<Body> {
  const { input, output, cachedInput = input, cacheWrite = input } = rates
  // Any token of the prompt can turn out to be of the dearest kind.
  const most = metered<Body, unknown, 'input' | 'output'>({
    rates: { input: Math.max(input, cachedInput, cacheWrite), output }, ceiling, used: () => ({}),
  })
  const spent = metered<Body, unknown, keyof TokenUsage>({
    rates: { input, output, cachedInput, cacheWrite }, ceiling, used: ({ usage }) => linesOf(usage),
  })
  return { ...(body && { body }), rates, price: most.price, charge: spent.charge, tokens: ceiling }
}

/** Every token in one line: those of the cache are not in `input`. */
function linesOf(usage: TokenUsage | undefined): Quantities<keyof TokenUsage> {
  if (!usage) {
    throw new FareboxError('PRICE_INVALID',
      'the response told no token usage; a stream of OpenAI\'s chat completions needs stream_options.include_usage, passed on by the handler')
  }
  const { input, output, cachedInput, cacheWrite } = usage
  return {
    input: input - cachedInput - cacheWrite,
    output,
    ...(cachedInput > 0 && { cachedInput }),
    ...(cacheWrite > 0 && { cacheWrite }),
  }
}
