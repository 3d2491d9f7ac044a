import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, inject } from 'vitest'
import { testStore } from './store.js'

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

testStore('redisStore', (now) => redisStore(redis, { prefix: crypto.randomUUID(), now }))
