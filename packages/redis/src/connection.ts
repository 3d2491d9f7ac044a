import { FareboxError } from '@farebox/core'
import { Redis, type Cluster } from 'ioredis'

/** A redis:// or rediss:// URL, or a client that is connected already. */
export type RedisConnection = string | undefined | Redis | Cluster | ScriptClient

/** All that the store needs of a client. */
export interface ScriptClient {
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
  /** Whether the keys of one call must share a hash slot. */
  readonly isCluster?: boolean
  /** Of a Cluster: its servers, for what no key leads to. */
  nodes?(role: 'master'): readonly (ScriptClient & { readonly options: { readonly host?: string | undefined, readonly port?: number | undefined } })[]
}

interface Connection {
  readonly client: ScriptClient
  close(): Promise<void>
}

/** Opens a URL, or uses the client it is given, which it then never closes. */
export function connect(connection: RedisConnection): Connection {
  if (typeof connection === 'string' && isRedisUrl(connection)) return open(connection)
  if (isScriptClient(connection)) return { client: connection, close: () => Promise.resolve() }
  throw new FareboxError('OPTIONS_INVALID', `redisStore: expected a redis:// or rediss:// URL or an ioredis client, got ${describe(connection)}`)
}

function isRedisUrl(text: string): boolean {
  return /^rediss?:\/\/./i.test(text) && URL.canParse(text)
}

function isScriptClient(value: unknown): value is ScriptClient {
  const client = value as Partial<ScriptClient> | null | undefined
  return typeof client?.evalsha === 'function' && typeof client.eval === 'function'
}

/** Never the text itself: a mistyped URL may hold a password. */
function describe(value: unknown): string {
  if (typeof value !== 'string') return value === null ? 'null' : typeof value
  return value === '' ? 'an empty string' : 'a string that is no such URL'
}

/**
 * A call must end soon when Redis is not there: it fails with the next attempt to connect instead of waiting for
 * twenty, attempts are never far apart, and a connection that has gone silent is given up.
 */
function open(url: string): Connection {
  let leaving = false
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    socketTimeout: 2_000,
    retryStrategy: (attempt) => Math.min(attempt * 50, 500),
    // After a failover the old primary may go on answering, as a replica. One such answer is enough: at each, ioredis adds a listener to the socket.
    reconnectOnError: (error) => !leaving && (leaving = error.message.startsWith('READONLY')),
  })
  redis.on('close', () => { leaving = false })
  // Each call reports its own failure; without a listener ioredis prints every failed attempt.
  redis.on('error', () => {})
  return {
    client: redis,
    async close() {
      if (redis.status === 'ready') await redis.quit().catch(() => redis.disconnect())
      else redis.disconnect()
    },
  }
}
