// npm test: everything `pnpm check` runs, on a machine that has only Node, npm and either a redis-server or root and apt.
import { ensureRedis } from './redis.js'
import { fail, install } from './workspace.js'

const missing = ensureRedis()
if (missing) fail(missing)
console.log('installing…')
if (install() !== 0) fail('the packages could not be installed')
await import('./check.js')
