import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job } from '../handlers/deep-research.js'

/** Starts the worker process. `close` lets it finish what it has begun. */
export function startWorker(redisUrl: string): { begin(job: Job): void; close(): void } {
  const worker = fork(fileURLToPath(new URL('worker.js', import.meta.url)), { env: { ...process.env, REDIS_URL: redisUrl } })
  return { begin: (job) => void worker.send(job), close: () => worker.disconnect() }
}
