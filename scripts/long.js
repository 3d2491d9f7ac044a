// npm run test:long [-- part of a path …]: the searches of `npm test` with many more tries, and a table of what was tried, how often, and what was lost.
import { ensureRedis } from './redis.js'
import { report } from './report.js'
import { fail, script } from './workspace.js'

const suites = [
  { tried: 'the ledger\'s invariants after every step, in memory', times: 1_000_000, unit: 'steps', files: 'test/property/memory.test.ts', variable: 'FAREBOX_MEMORY_STEPS' },
  { tried: 'the ledger\'s invariants after every step, in Redis', times: 100_000, unit: 'steps', files: 'test/property/redis.test.ts', variable: 'FAREBOX_REDIS_STEPS' },
  { tried: 'Redis against the model: each reply, the whole account', times: 2_500, unit: 'runs', files: 'test/model', variable: 'FAREBOX_MODEL_RUNS' },
  { tried: 'every order of what three calls can meet, with a mishap', times: 3, unit: 'calls', files: 'test/interleavings', variable: 'FAREBOX_INTERLEAVINGS' },
  { tried: 'the journal\'s exporter killed in mid-stream', times: 100, unit: 'kills', files: 'test/e2e/journal-restarts.test.ts', variable: 'FAREBOX_RESTARTS' },
  { tried: 'app processes killed under load', times: 200, unit: 'kills', files: 'test/chaos/kills.test.ts', variable: 'FAREBOX_KILLS' },
  { tried: 'Redis killed, AOF always', times: 50, unit: 'times', files: 'test/chaos/restarts.test.ts', only: 'always', variable: 'FAREBOX_REDIS_RESTARTS' },
  { tried: 'Redis killed, AOF everysec; the power cut', times: 50, unit: 'times each', files: 'test/chaos/restarts.test.ts', only: 'everysec', variable: 'FAREBOX_REDIS_RESTARTS' },
  { tried: 'answers of Redis cut off, lost, late', times: 300, unit: 'answers', files: 'test/chaos/proxy.test.ts', variable: 'FAREBOX_CUTS' },
  { tried: 'scripts flushed, memory full, read-only, hanging', times: 25, unit: 'times each', files: 'test/chaos/faults.test.ts', variable: 'FAREBOX_FAULTS' },
  { tried: 'failovers of Sentinel: master killed, hanging', times: 5, unit: 'times each', files: 'test/chaos/sentinel.test.ts', variable: 'FAREBOX_FAILOVERS' },
  { tried: 'mixed traffic over three processes, kills, outages', times: 10, unit: 'minutes', files: 'test/chaos/load.test.ts', variable: 'FAREBOX_LOAD_MINUTES' },
  { tried: 'slots of a Cluster moved', times: 10, unit: 'times', files: 'test/chaos/cluster.test.ts', only: 'slots move', variable: 'FAREBOX_CLUSTER_FAULTS' },
  { tried: 'failovers of a Cluster: masters killed, hanging', times: 10, unit: 'times each', files: 'test/chaos/cluster.test.ts', only: 'failover', variable: 'FAREBOX_CLUSTER_FAULTS' },
  { tried: 'apps killed while their Redis is away, with a spool', times: 10, unit: 'kills each', files: 'test/e2e/outage-restarts.test.ts', variable: 'FAREBOX_RESTARTS' },
  { tried: 'apps and targets at random: a paid handler ran ⇔ a charge', times: 50_000, unit: 'requests', files: 'test/routing', variable: 'FAREBOX_ROUTING_REQUESTS' },
  { tried: 'hostile ids, bodies, headers and prices', times: 5_000, unit: 'rounds', files: 'test/hostile', variable: 'FAREBOX_HOSTILE_ROUNDS' },
]

const missing = ensureRedis()
if (missing) fail(missing)
if (script('build', { quiet: true }) !== 0) fail('the build failed')

const wanted = process.argv.slice(2)
const chosen = suites.filter(({ files }) => wanted.length === 0 || wanted.some((part) => files.includes(part)))
if (chosen.length === 0) fail(`npm run test:long [-- part of a path …]: expected a part of one of ${suites.map(({ files }) => files).join(', ')}`)
const results = chosen.map(({ tried, times, unit, files, only, variable }) => {
  const startedAt = performance.now()
  const { passed, failed, told, lost } = report([files, ...(only ? ['-t', only] : [])], { env: { [variable]: String(times) } })
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  const result = { tried, times: `${times.toLocaleString('en')} ${unit}`, seconds, passed, failed, ...(told && { 'charges and grants told': told, 'lost of them': lost }) }
  // It takes an hour: what is known is said, whatever becomes of the rest.
  console.table([result])
  return result
})
console.table(results)
process.exit(results.every(({ passed, failed }) => passed > 0 && failed === 0) ? 0 : 1)
