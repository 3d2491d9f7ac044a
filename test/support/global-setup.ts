import type { TestProject } from 'vitest/node'
import { startRedis } from './redis.js'

/** One server for the whole run; every test keeps to a prefix of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startRedis()
  project.provide('redisUrl', redis.url)
  return () => redis.stop()
}
