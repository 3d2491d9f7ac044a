import { open, type FileHandle } from 'node:fs/promises'

export async function withFile<T>(path: string, flags: string, act: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags)
  try {
    return await act(file)
  } finally {
    await file.close()
  }
}

/** A new file is there for good once its directory is on the disk. Windows does that by itself and opens no directory. */
export async function syncDirectory(path: string): Promise<void> {
  await withFile(path, 'r', (directory) => directory.sync()).catch((error: { code?: string }) => {
    if (!['EISDIR', 'EPERM', 'EINVAL'].includes(error.code ?? '')) throw error
  })
}
