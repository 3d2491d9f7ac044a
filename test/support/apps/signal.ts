import type { ServerResponse } from 'node:http'

/** Aborted when the client has left before the end of a response. */
export function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
