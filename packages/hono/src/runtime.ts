import type { Context, ExecutionContext } from 'hono'

/** What is used of Node's own response; this package imports nothing of Node. */
export interface NodeResponse {
  readonly statusCode: number
  readonly destroyed: boolean
  readonly req: { readonly httpVersion: string; readonly socket: { readonly destroyed: boolean } }
  addTrailers(trailers: Readonly<Record<string, string>>): void
  once(event: 'finish' | 'close', listener: () => void): NodeResponse
}

/** Node's response to this request, where @hono/node-server serves the app. */
export function nodeResponseOf(c: Context): NodeResponse | undefined {
  const { outgoing } = (c.env ?? {}) as { outgoing?: Partial<NodeResponse> }
  return typeof outgoing?.addTrailers === 'function' ? outgoing as NodeResponse : undefined
}

/** What edge runtimes have, and only they. */
export function executionCtxOf(c: Context): ExecutionContext | undefined {
  // Where there is none Hono throws, which takes longer than to ask for Node's response.
  if (nodeResponseOf(c)) return undefined
  try {
    return c.executionCtx
  } catch {
    return undefined
  }
}

/**
 * Calls `closed` when nothing can be sent any more, at once where that is so already. Whether all was sent only
 * Node tells; elsewhere it is called when the client leaves and not after a response.
 */
export function onClose(c: Context, closed: (finished: boolean) => void): void {
  const node = nodeResponseOf(c)
  // @hono/node-server makes a signal only where one is asked for, and that takes longer than all the rest here.
  if (node) onNodeClose(node, closed)
  else if (c.req.raw.signal.aborted) closed(false)
  else c.req.raw.signal.addEventListener('abort', () => closed(false), { once: true })
}

function onNodeClose(node: NodeResponse, closed: (finished: boolean) => void): void {
  if (node.destroyed) return closed(false)
  let finished = false
  node.once('finish', () => { finished = true }).once('close', () => closed(finished))
}
