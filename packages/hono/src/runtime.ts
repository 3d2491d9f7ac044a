import type { Context, ExecutionContext } from 'hono'

/** What is used of Node's own response; this package imports nothing of Node. */
export interface NodeResponse {
  readonly statusCode: number
  readonly req: { readonly httpVersion: string }
  addTrailers(trailers: Readonly<Record<string, string>>): void
  once(event: 'close', listener: () => void): unknown
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
