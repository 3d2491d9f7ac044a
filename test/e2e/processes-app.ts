import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { FromApp, ToApp } from '../support/apps/main.js'

const main = fileURLToPath(new URL('../support/apps/dist/main.js', import.meta.url))

/** An app of one framework in a process of its own. */
export class AppProcess {
  #holding = 0

  private constructor(private readonly child: ChildProcess, readonly url: string, onHolding: () => void) {
    child.on('message', () => {
      this.#holding++
      onHolding()
    })
  }

  /** @param onHolding called when another handler is held open */
  static async start(framework: string, redisUrl: string, prefix: string, onHolding: () => void): Promise<AppProcess> {
    const child = fork(main, [framework], { env: { ...process.env, NODE_ENV: 'test', REDIS_URL: redisUrl, PREFIX: prefix } })
    const died = once(child, 'exit').then(([code]) => { throw new Error(`${framework} ended with ${String(code)}`) })
    const [message] = await Promise.race([once(child, 'message'), died]) as [FromApp]
    if (message.kind !== 'serving') throw new Error(`${framework} is not serving`)
    return new AppProcess(child, message.url, onHolding)
  }

  /** How many of its handlers were held open so far. */
  get holding(): number {
    return this.#holding
  }

  finish(): void {
    this.child.send({ kind: 'finish' } satisfies ToApp)
  }

  /** Ends the process the orderly way: it stops serving and closes billing. Returns its exit code. */
  async stop(): Promise<number | null> {
    const exited = once(this.child, 'exit')
    this.child.disconnect()
    const [code] = await exited as [number | null]
    return code
  }
}
