import { mkdir, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Spool, SpooledRecord, TakenRecord } from './billing/settlement/spool.js'
import { backgroundTimer } from './billing/timers.js'
import { FareboxError } from './errors.js'
import { absent, SpoolFile } from './spool-file.js'

const EXTENSION = '.spool'
/** From so many records on a file is full. What is posted goes file by file, and a file that is taken is in memory. */
const MAX_RECORDS = 256
/** A file that nobody has touched for so long is that of a process that has ended, ms. */
const LEASE_MS = 10_000
const TOUCH_MS = 2_500

interface Waiting {
  readonly line: string
  readonly written: (record: SpooledRecord) => void
  readonly failed: (error: unknown) => void
}

/**
 * Keeps what could not be posted on the disk, across a crash or restart of the process. A record is there (fdatasync) before its caller gets the
 * response. Any number of processes may share the directory, which is made where there is none: what one has left when it ended, another one
 * or its next start takes over, after 10 s where it was killed. The disk has to be one that outlives the process.
 *
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * import { spoolDirectory } from '@farebox/core/spool'
 * billing({ ..., spool: spoolDirectory('/var/lib/app/spool') })
 */
export function spoolDirectory(path: string): Spool {
  if (typeof path !== 'string' || path === '') throw new FareboxError('OPTIONS_INVALID', `spoolDirectory: expected a path, got ${typeof path}`)
  return new SpoolDirectory(path)
}

class SpoolDirectory implements Spool {
  /** The files of this process. */
  readonly #files = new Map<string, SpoolFile>()
  #current: SpoolFile | undefined
  #waiting: Waiting[] = []
  #writing = false
  #touching = false
  #closed = false

  constructor(private readonly directory: string) {}

  append(record: string): Promise<SpooledRecord> {
    return new Promise((written, failed) => {
      this.#waiting.push({ line: `${record}\n`, written, failed })
      if (!this.#writing) void this.#writeAll()
    })
  }

  async take(): Promise<readonly TakenRecord[]> {
    await mkdir(this.directory, { recursive: true })
    for (const file of this.#files.values()) {
      if (file.isLeft) return file.take()
    }
    for (const name of await readdir(this.directory)) {
      const file = name.endsWith(EXTENSION) && !this.#files.has(name) && await this.#takeOver(join(this.directory, name))
      if (file) return file.take()
    }
    return []
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#files.values()].map((file) => file.close()))
  }

  /** One write at a time: what comes meanwhile goes with the next one. */
  async #writeAll(): Promise<void> {
    this.#writing = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_RECORDS)
      try {
        await mkdir(this.directory, { recursive: true })
        const file = this.#unfilled()
        await file.append(batch.map(({ line }) => line))
        for (const { written } of batch) written(file)
      } catch (error) {
        for (const { failed } of batch) failed(error)
      }
    }
    this.#writing = false
  }

  #unfilled(): SpoolFile {
    if (!this.#current || this.#current.full || this.#current.records >= MAX_RECORDS) this.#current = this.#own()
    return this.#current
  }

  /** A file that no other process has a name for. */
  #own(): SpoolFile {
    const name = `${crypto.randomUUID()}${EXTENSION}`
    const file = new SpoolFile(join(this.directory, name), () => this.#files.delete(name))
    this.#files.set(name, file)
    this.#touch()
    return file
  }

  /** Only one of all that try has it. */
  async #takeOver(path: string): Promise<SpoolFile | undefined> {
    const found = await stat(path).catch(absent)
    if (!found || found.mtimeMs + LEASE_MS > Date.now()) return undefined
    const file = this.#own()
    try {
      await new SpoolFile(path, () => {}).touch()
      await rename(path, file.path)
      return file
    } catch (error) {
      file.remove()
      return absent(error as { code?: string })
    }
  }

  #touch(): void {
    if (this.#touching) return
    this.#touching = true
    backgroundTimer(async () => {
      for (const file of this.#closed ? [] : this.#files.values()) await file.touch()
      this.#touching = false
      if (this.#files.size > 0 && !this.#closed) this.#touch()
    }, TOUCH_MS)
  }
}
