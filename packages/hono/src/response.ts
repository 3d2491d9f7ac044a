import { carriesJson, type Closing, type Exchange } from '@farebox/core/adapter'
import type { Context, ExecutionContext } from 'hono'
import { follow, peek, type Coming } from './stream.js'

/** Settles what a request owes once its handlers are through, and puts what was charged into the response. */
export async function deliver(c: Context, exchange: Exchange): Promise<void> {
  if (!exchange.billed) return
  // Where a handler returned nothing, Hono is still to answer with an error: the 200 that it shows is not to be touched.
  if (c.error || !c.finalized) exchange.threw()
  if (!c.finalized || c.res.headers.has('x-hono-already-sent')) return void await exchange.close({ status: sentStatus(c) })
  const head = headOf(c.res)
  if (c.res.body && carriesJson(head) && exchange.holds({ ...head, whole: false })) return deliverJson(c, exchange)
  // Nobody reads the body of an answer to HEAD: its end would never come.
  if (!c.res.body || c.req.method === 'HEAD') return replace(c, c.res.body, await exchange.close(head))

  const body = await peek(c.res.body, executionCtxOf(c) !== undefined)
  if (!exchange.holds({ ...head, whole: body.whole })) return stream(c, exchange, body as Coming)
  const closing = await exchange.close(head)
  replace(c, body.whole ? body.bytes : follow(body, () => Promise.resolve()), closing)
}

async function deliverJson(c: Context, exchange: Exchange): Promise<void> {
  const bytes = await c.res.arrayBuffer()
  const closing = await exchange.close({ status: c.res.status, json: new TextDecoder().decode(bytes) })
  replace(c, closing.json === undefined ? bytes : new TextEncoder().encode(closing.json), closing)
}

/** The charge is known at the end. On an edge runtime `waitUntil` lets the settlement outlive the client. */
function stream(c: Context, exchange: Exchange, body: Coming): void {
  const { status } = c.res
  const headers = exchange.stream({ ...headOf(c.res), canTrail: false, canGrow: false })
  const settled = new Promise<void>((resolve) => {
    const settle = async (failed: boolean) => {
      if (failed) exchange.threw()
      await exchange.close({ status })
      resolve()
    }
    replace(c, follow(body, settle), { headers })
  })
  executionCtxOf(c)?.waitUntil(settled)
}

/** Sets all headers at once. A body that has changed takes its length and tag along. */
function replace(c: Context, body: BodyInit | null, { headers, json }: Closing): void {
  const replaced = new Response(body, c.res)
  for (const [name, value] of Object.entries(headers)) replaced.headers.set(name, value)
  if (json !== undefined) mend(replaced.headers, (body as Uint8Array).byteLength)
  // Hono would lay the old headers over the new ones.
  c.res = undefined
  c.res = replaced
}

function mend(headers: Headers, length: number): void {
  if (headers.has('content-length')) headers.set('content-length', String(length))
  const tag = headers.get('etag')
  // The tag stands for what the handler wrote: the same in meaning, no longer in every byte.
  if (tag && !tag.startsWith('W/')) headers.set('etag', `W/${tag}`)
}

function headOf({ status, headers }: Response) {
  return { status, contentType: headers.get('content-type') ?? undefined, contentEncoding: headers.get('content-encoding') ?? undefined }
}

/** Where a handler has written to Node's own response, as @hono/node-server lets it. */
function sentStatus(c: Context): number {
  const bindings = c.env as { outgoing?: { statusCode: number } } | undefined
  return bindings?.outgoing?.statusCode ?? c.res.status
}

/** What edge runtimes have, and only they. */
function executionCtxOf(c: Context): ExecutionContext | undefined {
  try {
    return c.executionCtx
  } catch {
    return undefined
  }
}
