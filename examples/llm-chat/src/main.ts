import { createServer } from 'node:http'
import { memoryStore, reportText } from '@farebox/koa'
import { redisStore } from '@farebox/redis'
import { readSettings, serve } from 'example-support'
import { createApp } from './app.js'

const { port, redisUrl, allowance } = readSettings(process.env)
/** For `npx farebox routes`. */
export const { app, bill } = createApp({ store: redisUrl ? redisStore(redisUrl) : memoryStore(), allowance })

const path = '/v1/chat/completions'
const question = { model: 'echo-1', max_tokens: 64, messages: [{ role: 'user', content: 'What does a call cost?' }] }
serve({
  name: 'llm-chat',
  server: createServer(app.callback()),
  port,
  about: reportText(bill.routes(app)),
  calls: [
    { path: `${path}/estimate`, body: question },
    { path, body: question },
    { path, body: { ...question, stream: true, stream_options: { include_usage: true } } },
  ],
  close: () => bill.close(),
})
