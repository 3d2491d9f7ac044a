/** The little of Node that `meter.ts` and `ndjson.ts` need: core is compiled without Node's types. */
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
}

declare module 'node:path' {
  export function dirname(path: string): string
}
