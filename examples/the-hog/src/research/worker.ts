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
  // Who asked may be gone by now; the job is done all the same.
  process.send?.(job.id, undefined, undefined, () => {})
})

/** Finishes what was begun; nothing keeps the process up then. */
async function end(): Promise<void> {
  await Promise.all(running)
  await store.close()
}

// The terminal's signals reach this process too: it ends when its parent has, and its jobs are done.
process.on('SIGINT', () => {}).on('SIGTERM', () => {})
if (process.connected) process.once('disconnect', () => void end())
else await end()
console.log(`the-hog: research worker ${process.pid}`)
