// One app in a process of its own: `node main.js express|koa|hono`, forked. It tells its parent what it does and waits for its word.
import { redisStore } from '@farebox/redis'
import type { Framework } from './app.js'
import { latch } from './latch.js'
import { serve } from './serve.js'
import { workloadPrices, workloadRoutes } from './workload.js'

/** To the parent: the app is served; a held handler has begun. */
export type FromApp = { readonly kind: 'serving'; readonly url: string } | { readonly kind: 'holding' }
/** From the parent: let the held handlers end. The process ends when the parent disconnects. */
export interface ToApp { readonly kind: 'finish' }

const frameworks: Readonly<Record<string, () => Promise<Framework>>> = {
  express: async () => (await import('./express.js')).expressApps((await import('express')).default),
  koa: async () => (await import('./koa.js')).koaApps,
  hono: async () => (await import('./hono.js')).honoApps,
}

const [, , name = ''] = process.argv
const { REDIS_URL, PREFIX = '' } = process.env
const tell = (message: FromApp) => process.send!(message)
const finish = latch()
// Charges are clamped by the thousand here; an error should be seen. The store is slow where everything runs at once.
const logger = { warn: () => {}, error: console.error }

const framework = await frameworks[name]!()
const app = await serve(framework({
  billing: { store: redisStore(REDIS_URL, { prefix: PREFIX }), prices: workloadPrices, allowance: 500, logger, storeTimeout: 10_000 },
  routes: workloadRoutes(() => {
    tell({ kind: 'holding' })
    return finish.opened
  }),
}))

process.on('message', finish.open)
process.on('disconnect', () => void app.stop())
tell({ kind: 'serving', url: app.url })
