import { carriesJson, isEventStream, type Closing, type Exchange } from '@farebox/core/adapter'
import type { Context } from 'hono'
import type { Dispatch } from './routing/dispatch.js'
import { executionCtxOf, nodeResponseOf } from './runtime.js'
import { follow, peek, type Peeked } from './stream.js'

/** Settles what a request owes once its handlers are through, and puts what was charged into the response. */
export async function deliver(c: Context, dispatch: Dispatch): Promise<void> {
  const { exchange } = dispatch
  if (!exchange.billed) return
  // Where a handler returned nothing, Hono is still to answer with an error: the 200 that it shows is not to be touched.
  if (c.error || !c.finalized) exchange.threw()
  if (!c.finalized || c.res.headers.has('x-hono-already-sent')) return void await exchange.close({ status: sentStatus(c) })
  const head = headOf(c.res)
  if (c.res.body && carriesJson(head) && exchange.holds({ ...head, whole: false })) return deliverJson(c, exchange)
  // Nobody reads the body of an answer to HEAD: its end would never come.
  if (c.req.method === 'HEAD') return replace(c, c.res.body, await exchange.close(head))
  if (!c.res.body) return replace(c, null, await exchange.close({ ...head, whole: () => wholeOf(c, '') }))

  const body = await peek(c.res.body, (next) => exchange.run(next), executionCtxOf(c) !== undefined)
  const { bytes } = body
  // Whether all events are there already is a matter of moments: however fast they came, they are told the same way.
  if (!exchange.holds({ ...head, whole: bytes !== undefined && !isEventStream(head) })) return stream(c, dispatch, body)
  if (bytes) return replace(c, bytes, await exchange.close({ ...head, whole: () => wholeOf(c, bytes) }))
  replace(c, follow(body), await exchange.close(head))
}

async function deliverJson(c: Context, exchange: Exchange): Promise<void> {
  const bytes = new Uint8Array(await exchange.run(() => c.res.arrayBuffer()))
  const closing = await exchange.close({ status: c.res.status, json: new TextDecoder().decode(bytes), whole: () => wholeOf(c, bytes) })
  replace(c, closing.json === undefined ? bytes : new TextEncoder().encode(closing.json), closing)
}

/** The charge is known at the end. On an edge runtime `waitUntil` lets the settlement outlive the client. */
function stream(c: Context, dispatch: Dispatch, body: Peeked): void {
  const { exchange } = dispatch
  const { status, headers: before } = c.res
  const node = nodeResponseOf(c)
  const canGrow = !before.has('content-length')
  const canTrail = canGrow && node?.req.httpVersion === '1.1' && !before.has('trailer')
  const headers = exchange.stream({ ...headOf(c.res), canTrail, canGrow, length: Number(before.get('content-length') ?? NaN) })
  const trails = 'Trailer' in headers
  let over = () => {}
  executionCtxOf(c)?.waitUntil(new Promise<void>((resolve) => { over = resolve }))
  const left = () => exchange.abort(status, true).then(over)
  const followed = follow(body, {
    passed: (chunk) => exchange.passed(chunk),
    // A handler may hear of a broken socket before the response does, and end its source for that.
    failed: () => (node?.req.socket.destroyed ? void left() : exchange.threw()),
    async ended() {
      const { trailers, tail } = await exchange.end(status)
      if (trails) node?.addTrailers(trailers)
      over()
      return tail
    },
    left,
  })
  // Of a body that ends soon @hono/node-server tells the length, and Node has no trailers then.
  replace(c, followed, { headers: trails ? { ...headers, 'Transfer-Encoding': 'chunked' } : headers })
  dispatch.begun = true
  if (dispatch.gone) void left()
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

function wholeOf({ res }: Context, body: string | Uint8Array) {
  return { headers: Object.fromEntries(res.headers), body }
}

/** Where a handler has written to Node's own response, as @hono/node-server lets it. */
function sentStatus(c: Context): number {
  return nodeResponseOf(c)?.statusCode ?? c.res.status
}
