import { Cluster, Redis } from 'ioredis'
import type { Command } from 'commander'
import { UsageError } from './values.js'

/** Redis is not there, or does not let us in. The message is all there is to say. */
export class OutOfReach extends Error {}

export interface Options {
  readonly redis?: string
  readonly prefix: string
  readonly json: boolean
}

/** What gives up soon: nobody may be there. */
const PATIENCE = { connectTimeout: 3_000, socketTimeout: 5_000, maxRetriesPerRequest: 0 }

/** Does something with Redis, with the whole Cluster where it is a node of one, and closes the connection, whatever becomes of it. */
export async function withRedis<T>(command: Command, act: (redis: Redis | Cluster, options: Options) => Promise<T>): Promise<T> {
  const options = command.optsWithGlobals<Options>()
  if (/[{}]|^$/.test(options.prefix)) throw new UsageError('--prefix: expected a text without braces')
  const { redis, failure } = open(options.redis)
  try {
    await redis.connect()
    const clustered = (await redis.info('cluster')).includes('cluster_enabled:1')
    return await (clustered ? withCluster(redis, (cluster) => act(cluster, options)) : act(redis, options))
  } catch (error) {
    throw absence(error, failure(), `${redis.options.host}:${redis.options.port}`) ?? error
  } finally {
    // It waits two seconds for a connection to end that has ended.
    if (redis.status !== 'end') redis.disconnect()
  }
}

async function withCluster<T>({ options: { host, port, username, password, tls } }: Redis, act: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = new Cluster([{ host: host!, port: port! }], {
    redisOptions: { username: username!, password: password!, ...(tls && { tls }), ...PATIENCE }, clusterRetryStrategy: () => null,
  })
  cluster.on('error', () => {})
  try {
    return await act(cluster)
  } finally {
    cluster.disconnect()
  }
}

/** Never shows the URL: it may hold a password. */
function open(url: string | undefined) {
  if (!url) throw new UsageError('no Redis named: give --redis redis://host:6379 or set REDIS_URL')
  if (!/^rediss?:\/\/./i.test(url) || !URL.canParse(url)) throw new UsageError('--redis (or REDIS_URL): expected a redis:// or rediss:// URL')
  const redis = new Redis(url, { lazyConnect: true, ...PATIENCE, retryStrategy: () => null })
  let failure: Error | undefined
  redis.on('error', (error) => { failure ??= error })
  return { redis, failure: () => failure }
}

/** What keeps Redis from us, if that is what the error says: the server's own refusal, the socket's, or the client's that it gave up. */
function absence(error: unknown, first: Error | undefined, where: string): OutOfReach | undefined {
  if (!(error instanceof Error)) return undefined
  const why = first ?? error
  if (why.name === 'ReplyError') return new OutOfReach(`Redis at ${where} refuses: ${why.message}`)
  if (!('syscall' in error) && !/connection is closed|timed? ?out|max retries|startup nodes|slots cache|cluster (?:redirections|isn't ready)/i.test(error.message)) return undefined
  return new OutOfReach(`no answer from Redis at ${where}: ${why instanceof AggregateError ? why.errors.map(String).join('; ') : why.message}`)
}
