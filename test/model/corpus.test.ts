import { memoryStore } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { sentAt } from './commands.js'
import { corpus, CORPUS_START } from './corpus.js'

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

describe.each([
  ['memoryStore', (now: () => number) => memoryStore({ now })],
  ['redisStore', (now: () => number) => redisStore(redis, { prefix: crypto.randomUUID(), now })],
] as const)('%s, in runs that once went wrong', (_, make) => {
  it.each(Object.entries(corpus))('%s', async (_, { steps, told }) => {
    let now = CORPUS_START
    const store = make(() => now)
    let reply: unknown
    for (const { elapsedMs, commands } of steps) {
      now += elapsedMs
      for (const command of commands) reply = await store.send(sentAt(command, now))
    }
    expect(reply).toMatchObject(told)
  })
})
