import { spawnSync } from 'node:child_process'
import { run } from './workspace.js'

const byHand = 'the tests need a redis-server on the PATH; install one: apt-get update && apt-get install -y redis-server'

/** Makes sure that there is a redis-server on the PATH. Returns what to do by hand where it can't. */
export function ensureRedis() {
  if (has('redis-server')) return undefined
  if (process.getuid?.() !== 0 || !has('apt-get')) return byHand
  console.log('no redis-server on the PATH; installing one: apt-get update && apt-get install -y redis-server')
  const options = { quiet: true, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  const done = run('apt-get', ['update'], options) === 0 && run('apt-get', ['install', '-y', 'redis-server'], options) === 0
  return done && has('redis-server') ? undefined : byHand
}

function has(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}
