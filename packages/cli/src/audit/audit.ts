import { readAccount, scanKeys, UnreadableError, type StoredAccount, type StoredKey } from '@farebox/redis/inspect'
import type { Cluster, Redis } from 'ioredis'
import { faultsOf } from './checks.js'
import { UsageError } from '../values.js'
import type { Finding } from './finding.js'
import { Tally } from './tally.js'

/** What became of a page of keys. */
export interface Audited {
  readonly accounts: number
  readonly findings: readonly Located[]
  /** Keys of the whole database that have been looked at, about. */
  readonly scanned: number
}

/** A finding, and the key by which it was found. */
export interface Located {
  readonly finding: Finding
  readonly key: StoredKey
}

/** Of keys that are spread over another number of partitions than is recorded, half are elsewhere; of others a stray one. */
const STRAY = { of: 8, atMost: 1 / 4 }

/**
 * Goes through all keys under a prefix, a page at a time: of more than a page it keeps nothing.
 *
 * @throws UsageError when the accounts are not spread over that many partitions
 */
export async function* audit(redis: Redis | Cluster, prefix: string, partitions: number): AsyncGenerator<Audited> {
  for await (const { keys, scanned } of scanKeys(redis, prefix, partitions)) {
    const accounts = keys.filter(({ kind }) => kind === 'account')
    const elsewhere = keys.filter(({ partition, rightPartition }) => partition !== rightPartition)
    if (keys.length >= STRAY.of && elsewhere.length > keys.length * STRAY.atMost) {
      throw new UsageError(`the accounts under the prefix "${prefix}" are not spread over ${partitions} partitions, as ${prefix}:partitions says: put that right first`)
    }
    const findings = await Promise.all([
      ...accounts.map((key) => ofAccount(redis, key)),
      orphans(redis, keys.filter(({ kind }) => kind !== 'account')),
      elsewhere.map(misplaced),
    ])
    yield { accounts: accounts.length, findings: findings.flat(), scanned }
  }
}

/** Adds up the entries of an account that it was read with. */
export async function addUp({ entries }: StoredAccount, tally: Tally): Promise<Tally> {
  for await (const page of entries()) for (const entry of page) tally.add(entry)
  return tally
}

async function ofAccount(redis: Redis | Cluster, key: StoredKey): Promise<readonly Located[]> {
  const { account } = key
  try {
    const stored = await readAccount(redis, key)
    const tally = await addUp(stored, new Tally(stored.refunds))
    const faults = faultsOf(stored, tally.missed ? await addUp(stored, new Tally(tally.refunded)) : tally)
    return faults.map((fault) => ({ key, finding: { account, ...fault } }))
  } catch (error) {
    return [{ key, finding: { account, ...unreadable(error) } }]
  }
}

/** @throws what is anything else */
export function unreadable(error: unknown): Omit<Finding, 'account'> {
  if (!(error instanceof UnreadableError)) throw error
  return { check: 'readable', expected: 'what a store writes', found: error.message }
}

async function orphans(redis: Redis | Cluster, keys: readonly StoredKey[]): Promise<readonly Located[]> {
  const there = await Promise.all(keys.map(({ accountKey }) => redis.exists(accountKey)))
  return keys.filter((_, i) => there[i] === 0).map((key) => ({ key, finding: { account: key.account, check: 'orphan', expected: key.accountKey, found: key.key } }))
}

function misplaced(key: StoredKey): Located {
  const { account, partition, rightPartition } = key
  return { key, finding: { account, check: 'partition', at: key.key, expected: rightPartition, found: partition } }
}
