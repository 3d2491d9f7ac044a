export { redisStore } from './store.js'
export type { RedisStoreOptions } from './options.js'
export type { RedisConnection, ScriptClient } from './connection.js'
