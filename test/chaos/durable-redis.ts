import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis, type RedisServer } from '../support/redis.js'

/** A server that keeps what it is told in an append-only file, and can be killed and started again on its port. */
export class DurableRedis {
  readonly #sizes: { readonly at: number, readonly bytes: number }[] = []
  readonly #watch: NodeJS.Timeout

  private constructor(private readonly folder: string, private readonly fsync: string, private server: RedisServer) {
    this.#watch = setInterval(() => void this.#look(), 20)
  }

  static async start(fsync: 'always' | 'everysec'): Promise<DurableRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'farebox-aof-'))
    return new DurableRedis(folder, fsync, await startRedis({ args: argsOf(folder, fsync) }))
  }

  get url(): string {
    return this.server.url
  }

  /**
   * SIGKILL, and up again.
   *
   * @param unwritten what the disk has not got of the last so many ms, as when the power fails
   */
  async restart(unwritten = 0): Promise<void> {
    const { port } = this.server
    await this.server.stop()
    const then = this.#sizes.findLast(({ at }) => at <= performance.now() - unwritten)
    if (unwritten > 0 && then) await truncate(this.#file, then.bytes)
    this.#sizes.length = 0
    this.server = await startRedis({ port, args: argsOf(this.folder, this.fsync) })
  }

  async stop(): Promise<void> {
    clearInterval(this.#watch)
    await this.server.stop()
    await rm(this.folder, { recursive: true })
  }

  get #file(): string {
    return join(this.folder, 'appendonlydir', 'appendonly.aof.1.incr.aof')
  }

  async #look(): Promise<void> {
    const at = performance.now()
    const { size } = await stat(this.#file).catch(() => ({ size: 0 }))
    this.#sizes.push({ at, bytes: size })
  }
}

function argsOf(folder: string, fsync: string): string[] {
  return ['--dir', folder, '--appendonly', 'yes', '--appendfsync', fsync]
}
