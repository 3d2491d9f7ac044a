import { soFar, toldUsage } from '../../tokens/told-usage.js'
import { TokenReader, type TokenUsage } from '../../tokens/token-reader.js'
import type { OpenCall } from '../call/call.js'
import { priceContext } from '../prices/context.js'

/**
 * The tokens that a call used, for a route that is priced by them: as its response tells, or has told when it `brokeOff`.
 *
 * @param response what has read it
 * @returns `undefined` where it told none, or nothing of what was generated: then the price is taken
 */
export function usageOf({ route, call, account, body }: OpenCall, response: TokenReader | undefined, brokeOff: boolean): TokenUsage | undefined {
  if (!route.tokens || response === undefined) return undefined
  const read = response.usage()
  return brokeOff ? soFar(read, route.tokens(priceContext(call, account, body))) : toldUsage(read)
}

/** A reader that a whole body has passed. */
export function readerOf(contentType: string | undefined, body: string | Uint8Array): TokenReader {
  const reader = new TokenReader(contentType)
  reader.push(typeof body === 'string' ? new TextEncoder().encode(body) : body)
  return reader
}
