import { build } from 'esbuild'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Where } from './connection.js'

export interface Setup {
  readonly where: Where
  readonly prefix: string
  /** ms. */
  readonly reservationTtl: number
  /** ms. */
  readonly storeTimeout: number
  /** How far the host's clock is ahead, ms. */
  readonly clockOff: number
}

/** The program of app.ts in one file, so that it starts soon. */
export async function bundleApp(): Promise<{ readonly file: string, remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-'))
  const file = join(folder, 'app.cjs')
  await build({ entryPoints: [fileURLToPath(new URL('./app.ts', import.meta.url))], bundle: true, minify: true, platform: 'node', format: 'cjs', outfile: file })
  return { file, remove: () => rm(folder, { recursive: true }) }
}

/** One process of app.ts. */
export class AppProcess {
  private constructor(private readonly child: ChildProcess, readonly url: string) {}

  /** @param onGivenUp told the line in its log of each charge that it gives up */
  static async start(program: string, setup: Setup, onGivenUp: (line: string) => void): Promise<AppProcess> {
    const child = fork(program, { env: { ...process.env, NODE_ENV: 'test', CHAOS: JSON.stringify(setup) } })
    const died = once(child, 'exit').then(([code, signal]) => { throw new Error(`the app ended with ${String(code ?? signal)}`) })
    died.catch(() => {})
    child.on('message', ({ givenUp }: { givenUp?: string }) => { if (givenUp !== undefined) onGivenUp(givenUp) })
    const [{ url }] = await Promise.race([once(child, 'message'), died]) as [{ url: string }]
    return new AppProcess(child, url)
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  async kill(): Promise<void> {
    if (this.alive && this.child.kill('SIGKILL')) await once(this.child, 'exit')
  }

  /** Ends it the orderly way: billing is closed, what it still has to post is posted. */
  async close(): Promise<void> {
    const exited = once(this.child, 'exit')
    this.child.send('close')
    await exited
  }
}
