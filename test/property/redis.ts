import { redisStore } from '@farebox/redis'
import { readAccount } from '@farebox/redis/inspect'
import type { Redis } from 'ioredis'
import type { Bench } from './run.js'

/** A store with a prefix of its own, looked at past the store, as the audit does. */
export function redisBench(redis: Redis): Bench & { clear(): Promise<void> } {
  const prefix = crypto.randomUUID()
  let clock = 0
  // One partition: the names of its keys are known.
  const store = redisStore(redis, { prefix, partitions: 1, now: () => clock })
  return {
    send(command, now) {
      clock = now
      return store.send(command)
    },
    look: (account) => readAccount(redis, { accountKey: `${prefix}:{0}:account:${encodeURIComponent(account)}` }),
    async clear() {
      const keys = await redis.keys(`${prefix}:*`)
      if (keys.length > 0) await redis.unlink(...keys)
    },
  }
}
