import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // More than there are cores: much of a test is waiting, for sockets, Redis and processes of its own.
    maxWorkers: availableParallelism() + 1,
    // No test waits for time to pass; this only says when a hanging one is given up, also on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
