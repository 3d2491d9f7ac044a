import { createServer } from 'node:http'
import { memoryStore, reportText } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import { readSettings, serve } from 'example-support'
import { createApp } from './app.js'
import { startWorker } from './research/start-worker.js'

const { port, redisUrl, allowance } = readSettings(process.env)
// With Redis, research is done in a process of its own; what is in memory only this process can see.
const worker = redisUrl ? startWorker(redisUrl) : undefined
const { app, bill } = createApp({ store: redisUrl ? redisStore(redisUrl) : memoryStore(), allowance, ...(worker && { begin: worker.begin }) })

serve({
  name: 'the-hog',
  server: createServer(app),
  port,
  about: reportText(bill.routes(app)),
  paid: { path: '/api/companies/search', body: { domains: ['acme.com', 'ACME.com', 'globex.com', 'initech.cached.example'] } },
  close: () => {
    worker?.close()
    return bill.close()
  },
})
