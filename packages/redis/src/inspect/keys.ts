import { Cluster, type Redis } from 'ioredis'
import { keySpace } from '../keys.js'
import { UnreadableError } from './unreadable.js'

const PAGE = 500
const KINDS = ['account', 'journal', 'grants', 'refunds', 'call', 'operation'] as const

/** A key that belongs to an account. */
export interface StoredKey {
  readonly key: string
  readonly kind: (typeof KINDS)[number]
  readonly account: string
  /** The partition it is in, and the one in which the store looks for it. */
  readonly partition: number
  readonly rightPartition: number
  /** Where its account's hash must be. */
  readonly accountKey: string
}

export interface KeyPage {
  readonly keys: readonly StoredKey[]
  /** Keys of the whole database that have been looked at, about. */
  readonly scanned: number
}

/**
 * How many partitions the store under this prefix has; `undefined` where no store has written anything yet.
 *
 * @throws UnreadableError when what is recorded is no number of partitions
 */
export async function readPartitions(redis: Redis | Cluster, prefix: string): Promise<number | undefined> {
  const { partitions } = keySpace(prefix, 1)
  const recorded = await redis.get(partitions)
  if (recorded === null) return undefined
  if (!/^[1-9]\d*$/.test(recorded)) throw new UnreadableError(`${partitions} is no number of partitions: ${recorded.slice(0, 100)}`)
  return Number(recorded)
}

/** The keys of all accounts under a prefix, of a Cluster node by node. One that exists all the time, and stays where it is, comes at least once. */
export async function* scanKeys(redis: Redis | Cluster, prefix: string, partitions: number): AsyncGenerator<KeyPage> {
  const pattern = keySpace(prefix, partitions).pattern('*')
  const parse = parser(prefix, partitions)
  let scanned = 0
  for (const node of serversOf(redis)) {
    let cursor = '0'
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', PAGE)
      cursor = next
      scanned += PAGE
      yield { keys: keys.flatMap(parse), scanned }
    } while (cursor !== '0')
  }
}

/** How many keys there are, of whatever kind. */
export async function countKeys(redis: Redis | Cluster): Promise<number> {
  const counts = await Promise.all(serversOf(redis).map((node) => node.dbsize()))
  return counts.reduce((sum, count) => sum + count, 0)
}

function serversOf(redis: Redis | Cluster): readonly Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis]
}

function parser(prefix: string, partitions: number): (key: string) => StoredKey[] {
  const { partitionOf, name } = keySpace(prefix, partitions)
  const form = new RegExp(`^\\{(\\d+)\\}:(${KINDS.join('|')}):([^:]+)(?::.*)?$`)
  return (key) => {
    const [, partition, kind, account] = form.exec(key.slice(prefix.length + 1)) ?? []
    if (partition === undefined || kind === undefined || account === undefined) return []
    return [{
      key, kind: kind as StoredKey['kind'], account: decoded(account), partition: Number(partition),
      rightPartition: partitionOf(account), accountKey: name('account', Number(partition), account),
    }]
  }
}

/** A key that no store has written may hold anything. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
