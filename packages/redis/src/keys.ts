import { encodeText } from './codec.js'

/**
 * Names of keys: `farebox:{12}:account:ada`. The partition in braces is what Redis Cluster hashes, so all keys of a
 * partition share a slot. Everything before the account is of fixed form and the account is percent-encoded, so
 * two accounts never share a key.
 */
export interface Keys {
  partitionOf(account: string): number
  name(what: string, account: string): string
  readonly partitions: string
}

export function keySpace(prefix: string, partitions: number): Keys {
  const partitionOf = (account: string) => fnv1a(encodeText(account)) % partitions
  return {
    partitionOf,
    name: (what, account) => `${prefix}:{${partitionOf(account)}}:${what}:${encodeText(account)}`,
    partitions: `${prefix}:partitions`,
  }
}

/** The 32-bit FNV-1a hash of an ASCII text. It decides where accounts live: it can never change. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
