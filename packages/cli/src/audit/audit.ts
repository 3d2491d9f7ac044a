import { readAccount, scanKeys, UnreadableError, type StoredKey } from '@farebox/redis/inspect'
import type { Cluster, Redis } from 'ioredis'
import { faultsOf } from './checks.js'
import type { Finding } from './finding.js'

/** What became of a page of keys. */
export interface Audited {
  readonly accounts: number
  readonly findings: readonly Finding[]
  /** Keys of the whole database that have been looked at, about. */
  readonly scanned: number
}

/** Goes through all keys under a prefix, a page at a time: of more than a page it keeps nothing. */
export async function* audit(redis: Redis | Cluster, prefix: string, partitions: number): AsyncGenerator<Audited> {
  for await (const { keys, scanned } of scanKeys(redis, prefix, partitions)) {
    const accounts = keys.filter(({ kind }) => kind === 'account')
    const findings = await Promise.all([
      ...accounts.map((key) => ofAccount(redis, key)),
      orphans(redis, keys.filter(({ kind }) => kind !== 'account')),
      keys.filter(({ partition, rightPartition }) => partition !== rightPartition).map(misplaced),
    ])
    yield { accounts: accounts.length, findings: findings.flat(), scanned }
  }
}

async function ofAccount(redis: Redis | Cluster, key: StoredKey): Promise<readonly Finding[]> {
  const { account } = key
  try {
    return (await faultsOf(await readAccount(redis, key))).map((fault) => ({ account, ...fault }))
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    return [{ account, check: 'readable', expected: 'what a store writes', found: error.message }]
  }
}

async function orphans(redis: Redis | Cluster, keys: readonly StoredKey[]): Promise<readonly Finding[]> {
  const there = await Promise.all(keys.map(({ accountKey }) => redis.exists(accountKey)))
  return keys.filter((_, i) => there[i] === 0).map(({ account, key, accountKey }) => ({ account, check: 'orphan', expected: accountKey, found: key }))
}

function misplaced({ account, key, partition, rightPartition }: StoredKey): Finding {
  return { account, check: 'partition', at: key, expected: rightPartition, found: partition }
}
