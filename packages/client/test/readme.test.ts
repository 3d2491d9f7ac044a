import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, afterAll, expect, it, vi } from 'vitest'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
// Inside of the package, which knows itself by its name, as built.
const file = fileURLToPath(new URL(`readme-${process.pid}.mts`, import.meta.url))

beforeAll(() => { writeFileSync(file, /```ts\n(.*?)```/s.exec(readme)![1]!) })
afterAll(() => { rmSync(file) })

it('the example in the README compiles as it stands', () => {
  const { stdout, status } = spawnSync('npx', ['tsc', '--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext', file], { encoding: 'utf8' })
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
})

it('and runs', async () => {
  const answers = [
    { estimatedCredits: 12, estimatedMaxCredits: 20, likelySyncOrAsync: 'sync', expectedLatencyRange: { lowMs: 1, highMs: 2 }, providersLikelyUsed: [], withinPlanLimits: true },
    { personas: [] },
  ]
  vi.stubGlobal('fetch', async () => Response.json(answers.shift(), { headers: { 'Credits-Charged': '17' } }))
  const log = vi.spyOn(console, 'log').mockReturnValue()
  try {
    await import(/* @vite-ignore */ file)
    expect(log.mock.calls).toEqual([[200, { personas: [] }, 'cost 17 credits']])
  } finally {
    vi.unstubAllGlobals()
    log.mockRestore()
  }
})
