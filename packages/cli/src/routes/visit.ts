import { Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { EXIT } from '../output.js'

/** How long an app's billing may take to close, in ms. Nothing has been charged that would have to be posted. */
const CLOSING_MS = 1_000

/**
 * Does something with an app's module in this process and ends the process, whatever the app has begun. The app does not notice: if it
 * listens, it does so where nobody calls, and what it prints goes to stderr.
 *
 * @param act resolves to what is to be closed
 */
export async function visit(act: (print: (text: string) => void) => Promise<{ close(): Promise<void> }>): Promise<void> {
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof write
  listenAside()
  // Ends the process also where an error keeps the module from ever being loaded.
  process.on('uncaughtException', (error) => {
    console.error(error)
    process.exit(EXIT.failed)
  })
  try {
    const opened = await act((text) => write(`${text}\n`))
    process.removeAllListeners('uncaughtException').on('uncaughtException', () => {})
    await Promise.race([opened.close(), delay(CLOSING_MS)]).catch(() => {})
  } finally {
    // Later than whoever says what went wrong.
    setImmediate(() => write('', () => process.exit()))
  }
}

/** The app's port may be in use, by the app itself: it gets a free one that only this machine reaches. */
function listenAside(): void {
  const { listen } = Server.prototype as { listen: (...args: unknown[]) => Server }
  Object.assign(Server.prototype, {
    listen(this: Server, ...args: unknown[]) {
      return listen.call(this, 0, '127.0.0.1', ...args.filter((arg) => typeof arg === 'function'))
    },
  })
}
