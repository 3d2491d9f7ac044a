import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { startRedis } from '../support/redis.js'

/** A redis-server of one test's own, that it may pause and kill. It is gone after the test. */
export interface OwnRedis {
  readonly url: string
  /** Takes commands, answers none. */
  pause(): void
  resume(): void
  kill(): Promise<void>
}

export async function startOwnRedis(): Promise<OwnRedis> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  const pid = await processIdOf(server.url)
  return {
    url: server.url,
    pause: () => void process.kill(pid, 'SIGSTOP'),
    resume: () => void process.kill(pid, 'SIGCONT'),
    kill: () => server.stop(),
  }
}

async function processIdOf(url: string): Promise<number> {
  const client = new Redis(url)
  const info = await client.info('server')
  client.disconnect()
  return Number(/process_id:(\d+)/.exec(info)?.[1])
}
