import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const read = (page: string) => readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
const readme = read('README.md')

it.each(['README.md', 'docs/credits.md'])('the example in %s compiles as it stands', (page) => {
  const [, example] = /```ts\n(.*?)```/s.exec(read(page)) ?? []
  // Inside of the test package, where the packages are installed as a user has them.
  const file = fileURLToPath(new URL(`example-${process.pid}.mts`, import.meta.url))
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
