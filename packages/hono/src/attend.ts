import type { Context } from 'hono'
import type { Dispatch } from './routing/dispatch.js'
import { executionCtxOf } from './runtime.js'

/**
 * Stays with a call that was admitted until its handlers are through. Its client may leave before: on an edge
 * runtime everything would end there, and what the call has used by then be nobody's.
 */
export function attend(c: Context, dispatch: Dispatch): void {
  if (dispatch.through) return
  dispatch.through = () => {}
  executionCtxOf(c)?.waitUntil(new Promise<void>((resolve) => { dispatch.through = resolve }))

  const { signal } = c.req.raw
  const left = () => void dispatch.exchange.abort(c.res.status, dispatch.begun)
  // Listens before any handler does: a handler that breaks its stream off because the client left has not failed.
  if (signal.aborted) left()
  else signal.addEventListener('abort', left, { once: true })
}
