import { fileURLToPath } from 'node:url'
import { reportText } from '@farebox/hono'
import { announcement, readSettings } from 'example-support'
import { createApp } from './app.js'
import { serveWorker } from './workerd.js'

const { port, redisUrl, allowance } = readSettings(process.env)
if (redisUrl) console.warn('edge: REDIS_URL is not used here: workerd keeps the balances in memory')

const { workerd, listening } = await serveWorker(fileURLToPath(new URL('worker.js', import.meta.url)), port, { ALLOWANCE: String(allowance) })
let closing = false
const stop = (): void => {
  // Asked twice, workerd would drop what it still answers.
  if (!closing) workerd.kill('SIGTERM')
  closing = true
}
process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', stop)
workerd.on('exit', (status, signal) => {
  if (status === 0 || signal) console.log('edge closed')
  else console.error(`edge: workerd ended with status ${status}; where port ${port} is in use, choose another with PORT=${port + 1}`)
  process.exit(status ?? 0)
})

const url = `http://localhost:${await listening}`
// The worker has an app of its own; this one is for its routes and prices.
const { app, bill } = createApp(allowance)
const texts = ['hello', 'shut up', 'hello']
console.log(announcement({
  name: 'edge',
  url,
  about: reportText(bill.routes(app)),
  calls: [{ path: '/v1/moderate/estimate', body: { texts } }, { path: '/v1/moderate', body: { texts } }],
}))
