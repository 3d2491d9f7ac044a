import type { Context } from 'hono'
import type { Dispatch } from './routing/dispatch.js'
import { executionCtxOf, onClose } from './runtime.js'

/**
 * Stays with a call that was admitted until its handlers are through. Its client may leave before: on an edge
 * runtime everything would end there, and what the call has used by then be nobody's.
 *
 * It is there before any handler: one that breaks its stream off because the client left has not failed.
 */
export function attend(c: Context, dispatch: Dispatch): void {
  if (dispatch.through) return
  dispatch.through = () => {}
  executionCtxOf(c)?.waitUntil(new Promise<void>((resolve) => { dispatch.through = resolve }))
  onClose(c, (finished) => {
    // A stream that is still open then was dropped by middleware around billing, which has answered something else.
    if (finished && !dispatch.begun) return
    dispatch.gone = true
    const ended = dispatch.exchange.abort(c.res.status, dispatch.begun)
    executionCtxOf(c)?.waitUntil(ended)
  })
}
