// npm run test:load [minutes]: mixed traffic over three app processes with kills and outages for ten minutes, then the audit, and a table.
import { ensureRedis } from './redis.js'
import { report } from './report.js'
import { fail, script } from './workspace.js'

const minutes = Number(process.argv[2] ?? 10)
if (!(minutes > 0)) fail('npm run test:load [minutes]: expected a number of minutes')
const missing = ensureRedis()
if (missing) fail(missing)
if (script('build', { quiet: true }) !== 0) fail('the build failed')

const { failed } = report(['test/chaos/load.test.ts'], { env: { FAREBOX_LOAD_MINUTES: String(minutes) } })
process.exit(failed === 0 ? 0 : 1)
