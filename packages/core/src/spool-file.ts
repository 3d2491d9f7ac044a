import { readFile, stat, unlink, utimes } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { SpooledRecord, TakenRecord } from './billing/settlement/spool.js'
import { syncDirectory, withFile } from './disk.js'

/** One file of a spool: lines that its process also has in memory, unless they were left. */
export class SpoolFile implements SpooledRecord {
  records = 0
  /** Nothing is appended to it any more. */
  full = false
  #inMemory = 0
  #left = false
  #removed: Promise<void> | undefined

  /** @param gone called when it does not exist any more */
  constructor(readonly path: string, private readonly gone: () => void) {}

  /** Something in it is to be posted, and nothing of it is in memory. */
  get isLeft(): boolean {
    return this.#left && this.#inMemory === 0
  }

  /** Resolves when they are on the disk, in a file of this name. */
  async append(lines: readonly string[]): Promise<void> {
    this.records += lines.length
    this.#inMemory += lines.length
    try {
      do {
        await withFile(this.path, 'a', async (file) => {
          await file.appendFile(lines.join(''))
          await file.datasync()
        })
      // Whoever took it as that of a process that had ended may have read it before.
      } while (!await isThere(this.path))
      await syncDirectory(dirname(this.path))
    } catch (error) {
      // Half a line may be its last now: another one behind it could not be read.
      this.full = true
      for (const _ of lines) this.remove()
      throw error
    }
  }

  /** Takes all of it into memory. */
  async take(): Promise<readonly TakenRecord[]> {
    this.full = true
    this.#left = false
    this.#inMemory = 1
    const text = await readFile(this.path, 'utf8').catch(absent).catch((error: unknown) => {
      this.leave()
      throw error
    })
    const lines = (text ?? '').split('\n').filter((line) => line !== '')
    this.#inMemory += lines.length
    this.remove()
    return lines.map((record) => ({ record, remove: () => this.remove(), leave: () => this.leave() }))
  }

  remove(): void {
    this.#inMemory--
    if (this.#inMemory > 0 || this.#left) return
    this.full = true
    // Should it stay, it is posted once more and charges nothing.
    this.#removed = unlink(this.path).catch(() => {}).then(this.gone)
  }

  leave(): void {
    this.#left = true
    this.#inMemory--
  }

  /** Tells other processes that this one is there. */
  async touch(): Promise<void> {
    await setTime(this.path, Date.now())
  }

  /** Tells them that it is not. */
  async close(): Promise<void> {
    await (this.#removed ?? setTime(this.path, 0))
  }
}

/** What cannot be told, for a file that is gone or a disk that fails, only makes others wait or post what is posted. */
async function setTime(path: string, ms: number): Promise<void> {
  await utimes(path, ms / 1_000, ms / 1_000).catch(() => {})
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).catch(absent) !== undefined
}

/** For what another process may have taken or removed. */
export function absent(error: { readonly code?: string }): undefined {
  if (error.code !== 'ENOENT') throw error
}
