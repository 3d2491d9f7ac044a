import { appendFile, mkdtemp, open, readFile, rename, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { JournalEntry } from '../src/journal/sink.js'
import { ndjsonFile } from '../src/ndjson.js'

const entry = (id: number, label = 'é💸\n"'): JournalEntry => ({
  uid: `ada/${id}`, account: 'ada', id: String(id), at: 1_000, kind: 'grant', credits: 1, balance: id, reference: `g${id}`, label, shortfall: 0,
})

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'farebox-'))
  path = join(folder, 'ledger.ndjson')
})
afterEach(() => rm(folder, { recursive: true }))

const lines = async (file = path) => {
  const text = await readFile(file, 'utf8')
  expect(text.endsWith('\n')).toBe(true)
  return text.slice(0, -1).split('\n').map((line) => JSON.parse(line) as JournalEntry)
}

describe('ndjsonFile', () => {
  it('makes the file and appends a line an entry', async () => {
    const sink = ndjsonFile(path)
    await sink.write([entry(1), entry(2)])
    expect(await lines()).toEqual([entry(1), entry(2)])
    await sink.write([entry(3)])
    expect(await lines()).toEqual([entry(1), entry(2), entry(3)])
    await ndjsonFile(path).write([entry(4)])
    expect(await lines()).toEqual([entry(1), entry(2), entry(3), entry(4)])
  })

  it('cuts off what a crash left of a line, wherever in it', async () => {
    const line = Buffer.from(`${JSON.stringify(entry(2))}\n`)
    for (let length = 1; length < line.length; length++) {
      await rm(path, { force: true })
      await ndjsonFile(path).write([entry(1)])
      await appendFile(path, line.subarray(0, length))
      await ndjsonFile(path).write([entry(2), entry(3)])
      expect(await lines()).toEqual([entry(1), entry(2), entry(3)])
    }
  })

  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])('cuts off a torn line of %i more bytes, behind others and alone', async (more) => {
    for (const before of [[], [entry(1)]]) {
      await rm(path, { force: true })
      if (before.length > 0) await ndjsonFile(path).write(before)
      await appendFile(path, `{${'x'.repeat(more)}`)
      await ndjsonFile(path).write([entry(2)])
      expect(await lines()).toEqual([...before, entry(2)])
    }
  })

  it('leaves whole lines alone, however long', async () => {
    const long = [entry(1, 'a'.repeat(200_000)), entry(2, 'b'.repeat(65_536))]
    await ndjsonFile(path).write(long)
    await ndjsonFile(path).write([entry(3)])
    expect(await lines()).toEqual([...long, entry(3)])
  })

  it('writes to a new file when the old one was moved away', async () => {
    const sink = ndjsonFile(path)
    await sink.write([entry(1)])
    await rename(path, `${path}.1`)
    await sink.write([entry(2)])
    expect([await lines(`${path}.1`), await lines()]).toEqual([[entry(1)], [entry(2)]])
  })

  it('has the lines on the disk before it says so, and of a new file that it exists', async () => {
    await truncate(path).catch(() => {})
    const probe = await open(folder, 'r')
    const handle = Object.getPrototypeOf(probe) as Record<'datasync' | 'sync' | 'appendFile', () => Promise<void>>
    await probe.close()
    const calls: string[] = []
    for (const name of ['datasync', 'sync', 'appendFile'] as const) {
      const real = handle[name]
      vi.spyOn(handle, name).mockImplementation(async function (this: unknown, ...args) {
        await real.apply(this, args)
        calls.push(name)
      })
    }
    const sink = ndjsonFile(path)
    await sink.write([entry(1)])
    await sink.write([entry(2)])
    vi.restoreAllMocks()
    expect(calls).toEqual(['appendFile', 'datasync', 'sync', 'appendFile', 'datasync'])
  })

  it('rejects where it can not write', async () => {
    await expect(ndjsonFile(join(folder, 'nowhere', 'file')).write([entry(1)])).rejects.toThrow('ENOENT')
    await expect(ndjsonFile(folder).write([entry(1)])).rejects.toThrow('EISDIR')
    for (const path of [undefined, '', 5]) expect(() => ndjsonFile(path as never)).toThrow(/ndjsonFile: expected a path/)
  })
})
