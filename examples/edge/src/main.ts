import { reportText } from '@farebox/hono'
import { readSettings } from 'example-support'
import { createApp } from './app.js'
import { serveWorker } from './workerd.js'

const { port, redisUrl, allowance } = readSettings(process.env)
if (redisUrl) console.warn('edge: REDIS_URL is not used here: workerd keeps the balances in memory')

const { workerd, listening } = await serveWorker(port, { ALLOWANCE: String(allowance) })
workerd.on('exit', (status) => process.exit(status ?? 0))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => workerd.kill(signal))

const url = `http://localhost:${await listening}`
const { app, bill } = createApp(allowance)
const curl = `curl -sS -w '\\n' -H 'x-api-key: ada'`
console.log([
  `edge listens on ${url}`, '',
  reportText(bill.routes(app)), '',
  'Try:',
  `${curl} -i ${url}/v1/moderate -H 'content-type: application/json' -d '{"texts":["hello","shut up","hello"]}'`,
  `${curl} ${url}/v1/credits/balance`,
  `${curl} -X POST ${url}/v1/credits/projections/usage-summary`,
  '',
].join('\n'))
