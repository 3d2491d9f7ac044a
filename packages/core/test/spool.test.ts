import { appendFile, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, utimes, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Spool } from '../src/billing/settlement/spool.js'
import { spoolDirectory } from '../src/spool.js'

let parent: string
let folder: string
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'farebox-'))
  folder = join(parent, 'app/spool')
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await rm(parent, { recursive: true })
})

const files = async () => (await readdir(folder)).map((name) => join(folder, name))
const content = async () => (await Promise.all((await files()).map((file) => readFile(file, 'utf8')))).join('')
/** As if its process had ended a while ago. */
const age = async (ms = 10_000) => {
  for (const file of await files()) await utimes(file, 0, (Date.now() - ms) / 1_000)
}
const taken = async (spool: Spool) => (await spool.take()).map(({ record }) => record)
const isEmpty = () => vi.waitFor(async () => expect(await files()).toEqual([]))

describe('a record', () => {
  it('is on the disk when it counts as kept, and gone when it is posted', async () => {
    const record = await spoolDirectory(folder).append('{"é":"💸"}')
    expect(await content()).toBe('{"é":"💸"}\n')
    record.remove()
    await isEmpty()
  })

  it('is synced before it counts as kept', async () => {
    const handle = await prototypeOfHandles()
    const synced = vi.spyOn(handle, 'datasync')
    await spoolDirectory(folder).append('a')
    expect(synced).toHaveBeenCalledOnce()
  })

  it('stays while another one of its file is not posted', async () => {
    const spool = spoolDirectory(folder)
    const [a, b] = await Promise.all([spool.append('a'), spool.append('b')])
    a!.remove()
    await spool.append('c').then((c) => c.remove())
    expect(await content()).toBe('a\nb\nc\n')
    b!.remove()
    await isEmpty()
  })

  it('is one of many that are written at once: a file has a bounded number', async () => {
    const spool = spoolDirectory(folder)
    const all = Array.from({ length: 1_000 }, (_, i) => `${i}`)
    const records = await Promise.all(all.map((record) => spool.append(record)))
    const lines = (await Promise.all((await files()).map((file) => readFile(file, 'utf8')))).map((text) => text.trim().split('\n'))
    expect(lines.flat().sort()).toEqual([...all].sort())
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(512)
    for (const record of records) record.remove()
    await isEmpty()
  })

  it('that comes after the others were posted has a file again', async () => {
    const spool = spoolDirectory(folder)
    ;(await spool.append('a')).remove()
    await spool.append('b')
    expect(await content()).toContain('b\n')
    await vi.waitFor(async () => expect(await content()).toBe('b\n'))
  })
})

describe('what is left', () => {
  it('is taken by the next start at once when it was closed, and gone when it is posted', async () => {
    const spool = spoolDirectory(folder)
    ;(await spool.append('a')).leave()
    await spool.append('b')
    await spool.close()
    const records = await spoolDirectory(folder).take()
    expect(records.map(({ record }) => record)).toEqual(['a', 'b'])
    records[0]!.remove()
    expect(await files()).toHaveLength(1)
    records[1]!.remove()
    await isEmpty()
  })

  it('is taken 10 s after its process was killed, not before', async () => {
    await spoolDirectory(folder).append('a')
    const next = spoolDirectory(folder)
    expect(await taken(next)).toEqual([])
    await age(9_000)
    expect(await taken(next)).toEqual([])
    await age()
    expect(await taken(next)).toEqual(['a'])
  })

  it('is not that of a process that goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const spool = spoolDirectory(folder)
    await spool.append('a')
    for (let i = 0; i < 2; i++) {
      await age(60_000)
      await vi.advanceTimersByTimeAsync(2_500)
      await vi.waitFor(async () => expect((await stat((await files())[0]!)).mtimeMs).toBeGreaterThan(Date.now() - 5_000))
    }
    expect(await taken(spoolDirectory(folder))).toEqual([])
    await spool.close()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(await taken(spoolDirectory(folder))).toEqual(['a'])
  })

  it('is had by one of many that want it, and by nobody else as long as that one goes on', async () => {
    for (let i = 0; i < 20; i++) await spoolDirectory(folder).append(`${i}`)
    await age()
    const spools = Array.from({ length: 4 }, () => spoolDirectory(folder))
    const had = await Promise.all(spools.map(async (spool) => {
      const records: string[] = []
      for (let more = await taken(spool); more.length > 0; more = await taken(spool)) records.push(...more)
      return records
    }))
    const rest = await taken(spoolDirectory(folder))
    expect([...had.flat(), ...rest].sort((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
  })

  it('can be taken by the same process, once it has nothing of its file in memory', async () => {
    const spool = spoolDirectory(folder)
    const [a, b] = await Promise.all([spool.append('a'), spool.append('b')])
    a!.leave()
    expect(await taken(spool)).toEqual([])
    b!.remove()
    const records = await spool.take()
    expect(records.map(({ record }) => record)).toEqual(['a', 'b'])
    expect(await taken(spool)).toEqual([])
    await spool.append('c')
    for (const record of records) record.leave()
    const again = await spool.take()
    expect(again.map(({ record }) => record)).toEqual(['a', 'b'])
    for (const record of again) record.remove()
    await vi.waitFor(async () => expect(await content()).toBe('c\n'))
  })

  it('is not what the process itself has in memory, though it could not touch its file for long', async () => {
    const spool = spoolDirectory(folder)
    await spool.append('a')
    await age()
    expect(await taken(spool)).toEqual([])
  })

  it('is given as it is where it is torn, and so is what stands before it', async () => {
    await spoolDirectory(folder).append('{"a":1}')
    await appendFile((await files())[0]!, '{"b"')
    await age()
    expect(await taken(spoolDirectory(folder))).toEqual(['{"a":1}', '{"b"'])
  })

  it('is nothing in an empty file, which goes', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'a.spool'), '')
    await age()
    expect(await taken(spoolDirectory(folder))).toEqual([])
    await isEmpty()
  })

  it('is no file of another kind', async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'notes.txt'), 'a')
    await age()
    expect(await taken(spoolDirectory(folder))).toEqual([])
    expect(await content()).toBe('a')
  })
})

describe('a disk that fails', () => {
  it('a directory that can\'t be made rejects, and works when it can', async () => {
    await writeFile(join(parent, 'app'), '')
    const spool = spoolDirectory(folder)
    await expect(spool.append('a')).rejects.toThrow(/ENOTDIR|EEXIST/)
    await expect(spool.take()).rejects.toThrow(/ENOTDIR|EEXIST/)
    await rm(join(parent, 'app'))
    await spool.append('b')
    expect(await content()).toBe('b\n')
  })

  it('nothing is written behind what may be half a line', async () => {
    const spool = spoolDirectory(folder)
    const a = await spool.append('a')
    vi.spyOn(await prototypeOfHandles(), 'datasync').mockRejectedValueOnce(new Error('ENOSPC'))
    await expect(spool.append('b')).rejects.toThrow('ENOSPC')
    await spool.append('c')
    expect((await Promise.all((await files()).map((file) => readFile(file, 'utf8')))).sort()).toEqual(['a\nb\n', 'c\n'])
    a.remove()
    await vi.waitFor(async () => expect(await content()).toBe('c\n'))
  })

  it('what can\'t be read is taken later', async () => {
    const spool = spoolDirectory(folder)
    ;(await spool.append('a')).leave()
    const [file = ''] = await files()
    await rename(file, `${file}.away`)
    await mkdir(file)
    await expect(spool.take()).rejects.toThrow('EISDIR')
    await rm(file, { recursive: true })
    await rename(`${file}.away`, file)
    expect(await taken(spool)).toEqual(['a'])
  })
})

it('what is written while another process takes its file is in a file that nobody has read', async () => {
  const spool = spoolDirectory(folder)
  await spool.append('a')
  const [file = ''] = await files()
  const handles = await prototypeOfHandles()
  const { datasync } = handles
  vi.spyOn(handles, 'datasync').mockImplementationOnce(async function (this: FileHandle) {
    await datasync.call(this)
    await rename(file, `${file}.taken`)
  })
  await spool.append('b')
  expect(await readFile(file, 'utf8')).toBe('b\n')
})

it('what another process took is left to it', async () => {
  const spool = spoolDirectory(folder)
  const record = await spool.append('a')
  await age()
  expect(await taken(spoolDirectory(folder))).toEqual(['a'])
  record.leave()
  expect(await taken(spool)).toEqual([])
  expect(await content()).toBe('a\n')
})

it.each([undefined, '', 5])('the path %s is no path', (path) => {
  expect(() => spoolDirectory(path as string)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
})

async function prototypeOfHandles(): Promise<FileHandle> {
  const file = await open(parent)
  await file.close()
  return Object.getPrototypeOf(file) as FileHandle
}
