/**
 * Names of keys: `farebox:{12}:account:ada`. The partition in braces is what Redis Cluster hashes, so all keys of a
 * partition share a slot. Everything before the account is of fixed form and the account is percent-encoded, so
 * two accounts never share a key.
 */
export interface KeySpace {
  /** @param account percent-encoded, as below */
  partitionOf(account: string): number
  name(what: string, partition: number, account: string): string
  /** Where the number of partitions is recorded. */
  readonly partitions: string
}

export function keySpace(prefix: string, partitions: number): KeySpace {
  return {
    partitionOf: (account) => fnv1a(account) % partitions,
    name: (what, partition, account) => `${prefix}:{${partition}}:${what}:${account}`,
    partitions: `${prefix}:partitions`,
  }
}

/** The 32-bit FNV-1a hash of an ASCII text. It decides where accounts live: it can never change. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
