import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // No test waits for time to pass; this only says when a hanging one is given up, also on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
