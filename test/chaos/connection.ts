import { Cluster, Redis } from 'ioredis'

/** Where Redis is: a URL, a master that sentinels know, or some nodes of a Cluster. */
export type Where = string | { readonly sentinels: readonly Address[] } | { readonly nodes: readonly Address[] }

export interface Address { readonly host: string, readonly port: number }

/** The name that the sentinels know the master by. */
export const MASTER = 'farebox'

/** A client as docs/durability.md says that one should be made: its calls fail soon, and it leaves a master that has been replaced. */
export function openClient(where: Where): Redis | Cluster {
  const options = { maxRetriesPerRequest: 0, connectTimeout: 1_000, socketTimeout: 2_000, reconnectOnError: (error: Error) => error.message.startsWith('READONLY') }
  const retryStrategy = (attempt: number) => Math.min(attempt * 50, 500)
  const client = typeof where === 'string' ? new Redis(where, { ...options, retryStrategy })
    : 'sentinels' in where ? new Redis({ ...options, retryStrategy, sentinels: [...where.sentinels], name: MASTER, sentinelRetryStrategy: retryStrategy, reconnectOnError: (error) => /^(READONLY|NOREPLICAS)/.test(error.message) })
    : new Cluster([...where.nodes], { redisOptions: options, clusterRetryStrategy: retryStrategy, slotsRefreshTimeout: 500, slotsRefreshInterval: 1_000, retryDelayOnFailover: 50, retryDelayOnClusterDown: 50 })
  client.on('error', () => {})
  return client
}
