// A process for journal-restarts.test.ts: an exporter that begins when it is told to, or one that posts entries when it is told to.
import { accounts, cloudEvents, exportJournal } from '@farebox/core'
import { ndjsonFile } from '@farebox/core/ndjson'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'

const SINKS = {
  ndjsonFile: (path) => ndjsonFile(path),
  cloudEvents: (url) => cloudEvents({ url, source: '/billing', timeout: 100 }),
}
const silent = { warn: () => {}, error: () => {} }

const redis = new Redis(process.env.REDIS_URL)
let store
let exported
const posted = []
const commands = {
  export({ prefix, sink, target, ahead }) {
    // The lease of the one before it, which was killed, is over for a clock that is ahead.
    store = redisStore(redis, { prefix, now: () => Date.now() + ahead })
    const { write } = SINKS[sink](target)
    exported = exportJournal({ store, logger: silent, journal: { write: (entries) => (process.send('writing'), write(entries)) } })
  },
  post({ prefix, grants }) {
    store ??= redisStore(redis, { prefix })
    const { grant } = accounts({ store, storeTimeout: 10_000 })
    for (const { account, id, credits } of grants) posted.push(grant(account, credits, { id, reason: 'by another process' }))
  },
  async close() {
    await Promise.all(posted)
    await exported?.close()
    redis.disconnect()
    process.disconnect()
  },
}

process.on('message', ({ kind, ...given }) => void commands[kind](given))
redis.once('ready', () => process.send('ready'))
