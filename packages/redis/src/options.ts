import { FareboxError } from '@farebox/core'

/** How a Redis store is made. */
export interface RedisStoreOptions {
  /** What all its keys begin with; no braces. Default `farebox`. */
  readonly prefix?: string
  /**
   * Over how many hash slots accounts are spread on a Cluster. Recorded at first use and final: a store opened
   * with another number rejects every command. Default 64.
   */
  readonly partitions?: number
  /** For tests: a clock in place of the server's, ms since the epoch. */
  readonly now?: () => number
}

export function parseOptions({ prefix = 'farebox', partitions = 64, now }: RedisStoreOptions) {
  if (typeof prefix !== 'string' || !/^[^{}]+$/.test(prefix)) throw invalid('prefix must be a text without braces')
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 16_384) throw invalid('partitions must be a whole number from 1 to 16384')
  return { prefix, partitions, now }
}

function invalid(what: string): FareboxError {
  return new FareboxError('OPTIONS_INVALID', `redisStore: ${what}`)
}
