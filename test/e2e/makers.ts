// The examples as their `createApp` makes them, each behind a server.
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { createApp as createHumalike } from '@farebox/example-humalike'
import { createApp as createChat } from '@farebox/example-llm-chat'
import { createApp as createHog } from '@farebox/example-the-hog'
import type { Make } from './example.js'

export const makeTheHog = (options: Parameters<typeof createHog>[0]): ReturnType<Make> => {
  const { app, bill } = createHog(options)
  return { server: createServer(app), bill, report: bill.routes(app) }
}

export const makeHumalike: Make = (options) => {
  const { app, bill } = createHumalike(options)
  return { server: createServer(getRequestListener(app.fetch)), bill, report: bill.routes(app) }
}

export const makeLlmChat: Make = (options) => {
  const { app, bill } = createChat(options)
  return { server: createServer(app.callback()), bill, report: bill.routes(app) }
}
