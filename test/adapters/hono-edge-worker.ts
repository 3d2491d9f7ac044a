// A worker for hono-edge.test.ts: clients that leave, on workerd.
import { billing, memoryStore, type Route } from '@farebox/hono'
import { Hono, type Context, type ExecutionContext } from 'hono'
import { streamSSE } from 'hono/streaming'

const wait = (ms: unknown): Promise<void> => new Promise((resolve) => { setTimeout(resolve, Number(ms)) })

async function slow(c: Context): Promise<Response> {
  await wait(c.req.query('ms'))
  return c.json({ slept: true })
}

/** Lasts until its client leaves. */
function endless(c: Context): Response {
  return c.body(new ReadableStream<Uint8Array>({
    async pull(out) {
      await wait(50)
      out.enqueue(new TextEncoder().encode('x'))
    },
  }))
}

function createApp(): Hono {
  const terms: Route = { product: 'p', price: 5, charge: () => 2, metering: true }
  const app = new Hono().use(billing({
    account: (c) => c.req.header('x-api-key'), store: memoryStore(), allowance: 100,
    prices: {
      'POST /slow': terms, 'GET /metered': terms, 'GET /ceiling': { ...terms, onAbort: 'ceiling' }, 'GET /release': { ...terms, onAbort: 'release' }, 'GET /broken': terms,
      'GET /events': terms, 'POST /bytes/:n': { ...terms, price: ({ params }) => Number(params['n']) },
    },
  }))
  for (const path of ['/metered', '/ceiling', '/release']) app.get(path, endless)
  app.post('/slow', slow)
  app.get('/broken', (c) => c.body(new ReadableStream<Uint8Array>({
    async pull(out) {
      await wait(20)
      out.error(new Error('source'))
    },
  })))
  app.get('/events', (c) => streamSSE(c, async (out) => {
    await out.writeSSE({ data: 'one' })
    await wait(c.req.query('ms'))
    await out.writeSSE({ data: 'two' })
  }))
  app.post('/bytes/:n', (c) => c.body(Uint8Array.from({ length: 256 }, (_, i) => i).buffer, 200, { 'content-type': 'application/octet-stream' }))
  return app
}

let app: Hono | undefined

export default {
  fetch(request: Request, env: object, context: ExecutionContext) {
    app ??= createApp()
    return app.fetch(request, env, context)
  },
}
