import { soFar, toldUsage } from '../../tokens/told-usage.js'
import { TokenReader, type TokenUsage } from '../../tokens/token-reader.js'
import type { OpenCall } from '../call/call.js'
import { priceContext } from '../prices/context.js'

/**
 * The tokens that a call used, for a route that is priced by them: as its response tells, or has told when it `brokeOff`.
 *
 * @param response the reader that its stream has passed, or the text of its JSON
 * @returns `undefined` where it told none, or nothing of what was generated: then the price is taken
 */
export function usageOf({ route, call, account, body }: OpenCall, response: TokenReader | string | undefined, brokeOff: boolean): TokenUsage | undefined {
  if (!route.tokens || response === undefined) return undefined
  const read = (response instanceof TokenReader ? response : readWhole(response)).usage()
  return brokeOff ? soFar(read, route.tokens(priceContext(call, account, body))) : toldUsage(read)
}

function readWhole(json: string): TokenReader {
  const reader = new TokenReader('application/json')
  reader.push(new TextEncoder().encode(json))
  return reader
}
