import 'vitest'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the server that global-setup.ts started. */
    redisUrl: string
  }
}
