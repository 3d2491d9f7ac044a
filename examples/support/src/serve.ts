import type { AddressInfo, Server } from 'node:net'

/** What is said about an example when it starts. */
export interface Example {
  readonly name: string
  readonly server: Server
  readonly port: number
  /** What stands between the address and the curl lines. */
  readonly about: string
  /** A call to try that costs something. */
  readonly paid: { readonly path: string; readonly body: unknown }
  /** What is left to do when the server has answered its last request. */
  readonly close: () => Promise<void>
}

/** Listens, says how to try the example, and closes cleanly on SIGTERM and SIGINT. */
export function serve({ name, server, port, about, paid, close }: Example): void {
  server.once('error', (error: NodeJS.ErrnoException) => {
    console.error(error.code === 'EADDRINUSE' ? `${name}: port ${port} is in use; choose another with PORT=${port + 1}` : `${name}: ${error.message}`)
    process.exit(1)
  })
  server.listen(port, () => {
    const url = `http://localhost:${(server.address() as AddressInfo).port}`
    console.log([`${name} listens on ${url}`, '', about, '', 'Try:', ...curls(url, paid), ''].join('\n'))
  })
  // A terminal sends a signal to every process in front of it, and the one that started this one passes it on again.
  let closing = false
  const stop = (): void => {
    if (closing) return
    closing = true
    server.close(() => void close().then(() => console.log(`${name} closed`)))
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
}

function curls(url: string, { path, body }: Example['paid']): string[] {
  const curl = `curl -sS -w '\\n' -H 'x-api-key: ada'`
  return [
    `${curl} -i ${url}${path} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`,
    `${curl} ${url}/v1/credits/balance`,
    `${curl} -X POST ${url}/v1/credits/projections/usage-summary`,
  ]
}
