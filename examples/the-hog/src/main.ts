import { createServer } from 'node:http'
import { memoryStore, reportText } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import { readSettings, serve } from 'example-support'
import { createApp } from './app.js'

const { port, redisUrl, allowance } = readSettings(process.env)
const { app, bill } = createApp({ store: redisUrl ? redisStore(redisUrl) : memoryStore(), allowance })

serve({
  name: 'the-hog',
  server: createServer(app),
  port,
  about: reportText(bill.routes(app)),
  paid: { path: '/api/companies/search', body: { domains: ['acme.com', 'ACME.com', 'globex.com', 'initech.cached.example'] } },
  close: () => bill.close(),
})
