import { createServer } from 'node:http'
import { memoryStore, reportText } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import { readSettings, serve } from 'example-support'
import { createApp } from './app.js'
import { startWorker } from './research/start-worker.js'

const { port, redisUrl, allowance } = readSettings(process.env)
// With Redis, research is done in a process of its own; what is in memory only this process can see.
const worker = redisUrl ? startWorker(redisUrl) : undefined
/** For `npx farebox routes`. */
export const { app, bill } = createApp({ store: redisUrl ? redisStore(redisUrl) : memoryStore(), allowance, ...(worker && { begin: worker.begin }) })

const question = { question: 'Who makes the best bread in Lisbon?' }

serve({
  name: 'the-hog',
  server: createServer(app),
  port,
  about: reportText(bill.routes(app)),
  calls: [
    { path: '/api/companies/search', body: { domains: ['acme.com', 'ACME.com', 'globex.com', 'initech.cached.example'] } },
    { path: '/api/deep-research/estimate', body: question },
    { path: '/api/deep-research', body: question },
  ],
  async close() {
    await worker?.close()
    await bill.close()
  },
})
