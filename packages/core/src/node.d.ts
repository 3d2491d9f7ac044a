/** The little of Node that `meter.ts`, `ndjson.ts` and `spool.ts` need: core is compiled without Node's types. */
declare module 'node:async_hooks' {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, callback: () => R): R
    getStore(): T | undefined
  }
}

declare module 'node:fs/promises' {
  export interface FileHandle {
    stat(): Promise<{ readonly size: number }>
    read(into: Uint8Array, offset: number, length: number, position: number): Promise<unknown>
    truncate(length: number): Promise<void>
    appendFile(text: string): Promise<void>
    sync(): Promise<void>
    datasync(): Promise<void>
    close(): Promise<void>
  }
  export function open(path: string, flags: string): Promise<FileHandle>
  export function mkdir(path: string, options: { readonly recursive: true }): Promise<unknown>
  export function readdir(path: string): Promise<string[]>
  export function readFile(path: string, encoding: 'utf8'): Promise<string>
  export function rename(from: string, to: string): Promise<void>
  export function stat(path: string): Promise<{ readonly mtimeMs: number }>
  export function unlink(path: string): Promise<void>
  /** Seconds since the epoch. */
  export function utimes(path: string, accessed: number, modified: number): Promise<void>
}

declare module 'node:path' {
  export function dirname(path: string): string
  export function join(...parts: readonly string[]): string
}
