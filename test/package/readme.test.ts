import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

it('the example in the README compiles as it stands', () => {
  const [, example] = /```ts\n(.*?)```/s.exec(readme) ?? []
  // Inside of the test package, where the packages are installed as a user has them.
  const file = fileURLToPath(new URL(`readme-${process.pid}.mts`, import.meta.url))
  writeFileSync(file, example!)
  try {
    const { stdout, status } = spawnSync('npx', ['tsc', '--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext', '--types', 'node', file], { encoding: 'utf8' })
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  } finally {
    rmSync(file)
  }
})

it('the README stays under 150 lines', () => {
  expect(readme.split('\n').length).toBeLessThan(150)
})
