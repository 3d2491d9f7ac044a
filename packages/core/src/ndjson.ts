import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory, withFile } from './disk.js'
import { FareboxError } from './errors.js'
import type { JournalSink } from './journal/sink.js'

/** How much of a file's end is looked through at once for its last whole line. */
const PIECE = 65_536
const NEWLINE = 10

/**
 * A sink that appends entries to a file, a line of JSON each. A line is on the disk (fdatasync) before its entry counts as exported.
 * What a crash has left of a line at the end of the file is cut off, its entry comes again. The file is opened for each write, so it may
 * be moved away at any time.
 *
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * import { ndjsonFile } from '@farebox/core/ndjson'
 * billing({ ..., journal: ndjsonFile('/var/lib/app/ledger.ndjson') })
 */
export function ndjsonFile(path: string): JournalSink {
  if (typeof path !== 'string' || path === '') throw new FareboxError('OPTIONS_INVALID', `ndjsonFile: expected a path, got ${typeof path}`)
  return {
    write: (entries) => withFile(path, 'a+', async (file) => {
      const { size } = await file.stat()
      const whole = await wholeLines(file, size)
      if (whole < size) await file.truncate(whole)
      await file.appendFile(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
      await file.datasync()
      if (whole === 0) await syncDirectory(dirname(path))
    }),
  }
}

/** How many bytes of the file are whole lines. */
async function wholeLines(file: FileHandle, size: number): Promise<number> {
  // Nearly always it ends with one.
  for (let end = size, length = 1; end > 0; end -= length, length = PIECE) {
    const piece = new Uint8Array(Math.min(length, end))
    await file.read(piece, 0, piece.length, end - piece.length)
    const newline = piece.lastIndexOf(NEWLINE)
    if (newline >= 0) return end - piece.length + newline + 1
  }
  return 0
}
