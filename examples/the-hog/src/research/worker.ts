import { operations } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import type { Job } from '../handlers/deep-research.js'
import { runJob } from './run-job.js'

/** A process of its own, which is told of jobs by the one that started it and shares nothing with it but Redis. */
const store = redisStore(process.env['REDIS_URL'])
const ends = operations({ store })
const running = new Set<Promise<void>>()

process.on('message', (job: Job) => {
  const work = runJob(ends, job).catch(console.error).finally(() => running.delete(work))
  running.add(work)
})

// The terminal's signals reach this process too: it ends when its parent has, and its jobs are done.
process.on('SIGINT', () => {}).on('SIGTERM', () => {})
process.once('disconnect', async () => {
  await Promise.all(running)
  await store.close()
})
