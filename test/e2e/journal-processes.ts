import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./journal-process.js', import.meta.url))

/** One of the processes of journal-process.js. */
export class JournalProcess {
  readonly #child: ChildProcess = fork(program, { env: { ...process.env, NODE_ENV: 'test' } })
  readonly #ready = once(this.#child, 'message')

  async tell(command: { readonly kind: 'export' | 'post' } & Readonly<Record<string, unknown>>): Promise<void> {
    await this.#ready
    this.#child.send(command)
  }

  /** Calls back each time it begins to write. */
  onWriting(writing: () => void): void {
    this.#child.on('message', (message) => message === 'writing' && writing())
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  /** Ends it the orderly way. */
  async close(): Promise<void> {
    this.#child.send({ kind: 'close' })
    await once(this.#child, 'exit')
  }
}
