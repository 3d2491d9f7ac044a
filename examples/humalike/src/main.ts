import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { memoryStore, reportText } from '@farebox/hono'
import { redisStore } from '@farebox/redis'
import { readSettings, serve } from 'example-support'
import { createApp } from './app.js'

const { port, redisUrl, allowance } = readSettings(process.env)
/** For `npx farebox routes`. */
export const { app, bill } = createApp({ store: redisUrl ? redisStore(redisUrl) : memoryStore(), allowance })

const personas = { count: 2, detail: 'long' }
serve({
  name: 'humalike',
  server: createServer(getRequestListener(app.fetch)),
  port,
  about: reportText(bill.routes(app)),
  calls: [{ path: '/v1/personas/generate/estimate', body: personas }, { path: '/v1/personas/generate', body: personas }],
  close: () => bill.close(),
})
