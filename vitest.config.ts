import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // A worker for each core: much of a test is waiting, for sockets, Redis and processes of its own.
    maxWorkers: '100%',
    // No test waits for time to pass; this only says when a hanging one is given up, also on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
