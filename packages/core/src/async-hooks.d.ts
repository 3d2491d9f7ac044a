/** The one thing of Node that `meter.ts` needs: core is compiled without Node's types. */
declare module 'node:async_hooks' {
  export class AsyncLocalStorage<T> {
    run<R>(store: T, callback: () => R): R
    getStore(): T | undefined
  }
}
