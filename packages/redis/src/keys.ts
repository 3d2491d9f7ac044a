/**
 * Names of keys: `farebox:{12}:account:ada`, `farebox:{12}:operation:ada:op_1`, `farebox:operation:op_1`. The partition in
 * braces is what Redis Cluster hashes, so all keys of a partition share a slot. Everything before the account is of
 * fixed form, and the account and what comes behind it are percent-encoded, so none of them holds a colon and two
 * accounts never share a key.
 */
export interface KeySpace {
  /** @param account percent-encoded, as below */
  partitionOf(account: string): number
  name(what: string, partition: number, account: string): string
  /** Of what an account has many of: its operations, the calls under its idempotency keys. */
  itemName(what: string, partition: number, account: string, item: string): string
  /** Of what the accounts of a partition share. */
  partitionName(what: string, partition: number): string
  /** Of what no account owns. */
  sharedName(what: string, item: string): string
  /** Where the number of partitions is recorded. */
  readonly partitions: string
  /** Where it is recorded that entries go on to a sink. */
  readonly journalExport: string
  /** The keys of all accounts as a pattern of Redis' own; `*` for `what`: all keys in partitions. */
  pattern(what: string): string
}

export function keySpace(prefix: string, partitions: number): KeySpace {
  return {
    partitionOf: (account) => fnv1a(account) % partitions,
    name: (what, partition, account) => `${prefix}:{${partition}}:${what}:${account}`,
    itemName: (what, partition, account, item) => `${prefix}:{${partition}}:${what}:${account}:${item}`,
    partitionName: (what, partition) => `${prefix}:{${partition}}:${what}`,
    sharedName: (what, item) => `${prefix}:${what}:${item}`,
    partitions: `${prefix}:partitions`,
    journalExport: `${prefix}:journal-export`,
    pattern: (what) => `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}:{*}:${what}`,
  }
}

/** The 32-bit FNV-1a hash of an ASCII text. It decides where accounts live: it can never change. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
