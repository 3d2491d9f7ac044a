// A worker for edge.test.ts: what workerd does otherwise than Node, with reservations that live for a second.
import { billing, cloudEvents, memoryStore } from '@farebox/hono'
import { Hono, type ExecutionContext } from 'hono'
import { streamText } from 'hono/streaming'

interface Socket {
  accept(): void
  send(text: string): void
}

const { WebSocketPair } = globalThis as unknown as { WebSocketPair: new () => Record<'0' | '1', Socket> }
const wait = (ms: unknown): Promise<void> => new Promise((resolve) => { setTimeout(resolve, Number(ms)) })

function createApp(): Hono {
  const terms = { product: 'p', price: 5 }
  return new Hono()
    .use(billing({
      account: (c) => c.req.header('x-api-key'), store: memoryStore(), allowance: 100, reservationTtl: 1_000,
      // Nothing can run in the background here: that must not keep calls from being served.
      journal: cloudEvents({ url: 'http://127.0.0.1:9', source: '/edge' }),
      prices: { 'POST /slow': terms, 'GET /text': terms, 'GET /bytes': terms, 'GET /stream': terms, 'GET /socket': terms },
    }))
    .post('/slow', async (c) => {
      await wait(c.req.query('ms'))
      return c.json({ slept: true })
    })
    .get('/text', (c) => c.text('hello'))
    .get('/bytes', (c) => c.body(new Uint8Array(300_000).buffer))
    .get('/stream', (c) => streamText(c, async (out) => {
      await out.write('first')
      await wait(c.req.query('ms'))
      await out.write('-last')
    }))
    .get('/socket', () => {
      const { 0: client, 1: server } = new WebSocketPair()
      server.accept()
      server.send('hello')
      return new Response(null, { status: 101, webSocket: client } as ResponseInit)
    })
}

let app: Hono | undefined

export default {
  fetch(request: Request, env: object, context: ExecutionContext) {
    app ??= createApp()
    return app.fetch(request, env, context)
  },
}
