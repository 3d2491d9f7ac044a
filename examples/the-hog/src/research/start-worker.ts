import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Begin } from '../handlers/deep-research.js'

interface Waiting {
  resolve(): void
  reject(reason: Error): void
}

/** Starts the worker process, and another one for the next job where that has died. `close` lets it finish what it has begun. */
export function startWorker(redisUrl: string): { readonly begin: Begin; close(): Promise<void> } {
  let worker = forkWorker(redisUrl)
  return {
    begin(job) {
      if (!worker.isThere()) worker = forkWorker(redisUrl)
      return worker.begin(job)
    },
    close: () => worker.close(),
  }
}

function forkWorker(redisUrl: string) {
  const worker = fork(fileURLToPath(new URL('worker.js', import.meta.url)), { env: { ...process.env, REDIS_URL: redisUrl } })
  const waiting = new Map<string, Waiting>()
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => resolve()).on('error', (error) => {
      console.error(error)
      resolve()
    })
  })
  // It says which job it has: one that is still on its way would be lost with either process.
  worker.on('message', (id: string) => {
    waiting.get(id)?.resolve()
    waiting.delete(id)
  })
  void ended.then(() => { for (const { reject } of waiting.values()) reject(new Error('the research worker has died')) })
  const begin: Begin = (job) => new Promise((resolve, reject) => {
    waiting.set(job.id, { resolve, reject })
    worker.send(job, (error) => { if (error) reject(error) })
  })
  return {
    begin,
    isThere: () => worker.connected,
    close() {
      if (worker.connected) worker.disconnect()
      return ended
    },
  }
}
