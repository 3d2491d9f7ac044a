import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BuiltApp } from './app.js'

export interface Served {
  readonly url: string
  /** Closes the server with every connection, then billing. */
  stop(): Promise<void>
}

/** Serves an app on a free port. */
export async function serve({ listener, billing }: BuiltApp): Promise<Served> {
  const server = createServer(listener)
  // A connection that a busy client has kept for a while must not be closed under its next call.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      await billing?.close()
    },
  }
}
