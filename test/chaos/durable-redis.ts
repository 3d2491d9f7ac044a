import { mkdtemp, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedis, type RedisServer } from '../support/redis.js'

/** A server that keeps what it is told in an append-only file, and can be killed and started again on its port. */
export class DurableRedis {
  readonly #sizes: { readonly at: number, readonly bytes: number }[] = []
  readonly #watch: NodeJS.Timeout

  private constructor(private readonly folder: string, private readonly args: readonly string[], private server: RedisServer) {
    this.#watch = setInterval(() => void this.#look(), 20)
  }

  /** @param more options of redis-server's command line */
  static async start(fsync: 'always' | 'everysec', more: readonly string[] = []): Promise<DurableRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'farebox-aof-'))
    const args = ['--dir', folder, '--appendonly', 'yes', '--appendfsync', fsync, ...more]
    return new DurableRedis(folder, args, await startRedis({ args }))
  }

  get url(): string {
    return this.server.url
  }

  get port(): number {
    return this.server.port
  }

  /**
   * SIGKILL, and up again.
   *
   * @param unwritten what the disk has not got of the last so many ms, as when the power fails
   */
  async restart(unwritten = 0): Promise<void> {
    await this.kill()
    const then = this.#sizes.findLast(({ at }) => at <= performance.now() - unwritten)
    if (unwritten > 0 && then) await truncate(this.#file, then.bytes)
    await this.revive()
  }

  kill(): Promise<void> {
    return this.server.stop()
  }

  /** Up again after `kill`, with what its disk has. */
  async revive(): Promise<void> {
    this.#sizes.length = 0
    this.server = await startRedis({ port: this.port, args: this.args })
  }

  /** From now on it answers nothing, until `resume`. */
  pause(): void {
    this.server.pause()
  }

  resume(): void {
    this.server.resume()
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
