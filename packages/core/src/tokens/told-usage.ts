import type { TokenUsage } from './token-reader.js'
import type { ReadUsage } from './token-tally.js'

/**
 * The tokens of a response that came to its end: what it told, or `undefined` where it did not tell its usage.
 * What only has a prompt, as an embedding, tells no output.
 */
export function toldUsage({ final, input, output, cachedInput, cacheWrite, deltas }: ReadUsage): TokenUsage | undefined {
  return final && input !== undefined ? { input, output: output ?? deltas, cachedInput, cacheWrite } : undefined
}

/**
 * The tokens of a response that broke off: what it told or, before that, what is known. The whole prompt has
 * been read by then; where it was not told it counts as the most it could be. Every event that carried
 * something generated was at least one token.
 */
export function soFar(read: ReadUsage, ceiling: { readonly input?: number; readonly output?: number }): TokenUsage {
  const { input = ceiling.input ?? 0, output = 0, cachedInput, cacheWrite, deltas } = read
  return toldUsage({ ...read, input }) ?? { input, output: Math.max(output, deltas), cachedInput, cacheWrite }
}
