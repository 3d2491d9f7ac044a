import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { announcement, type Announced } from './announcement.js'

/** An example that is ready to listen. */
export interface Example extends Omit<Announced, 'url'> {
  readonly server: Server
  readonly port: number
  /** What is left to do when the server has answered its last request. */
  readonly close: () => Promise<void>
}

/** Listens, says how to try the example, and closes cleanly on SIGTERM and SIGINT. */
export function serve({ server, port, close, ...example }: Example): void {
  const { name } = example
  server.once('error', (error: NodeJS.ErrnoException) => {
    console.error(error.code === 'EADDRINUSE' ? `${name}: port ${port} is in use; choose another with PORT=${port + 1}` : `${name}: ${error.message}`)
    process.exit(1)
  })
  server.listen(port, () => console.log(announcement({ ...example, url: `http://localhost:${(server.address() as AddressInfo).port}` })))
  let closing = false
  // A connection that its client keeps open after the last answer would hold the program up for seconds.
  server.on('request', (_, response) => response.once('close', () => { if (closing) server.closeIdleConnections() }))
  // A terminal sends a signal to every process in front of it, and the one that started this one passes it on again.
  const stop = (): void => {
    if (closing) return
    closing = true
    server.close(() => void close().then(() => console.log(`${name} closed`)))
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}
