import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { transformSync } from 'esbuild'

/** A mutant that runs in circles is caught by the clock. */
const LONGEST_MS = 120_000

/** Who looks at a mutant, one after the other. */
const judges = {
  ts: [['test/model/redis.test.ts', 'test/model/corpus.test.ts'], ['test/conformance/store-memory.test.ts', 'packages/core/test/ledger-lazy.test.ts', 'packages/core/test/calendar.test.ts', 'packages/core/test/persistent-map.test.ts']],
  lua: [['test/model/redis.test.ts', 'test/model/shared.test.ts', 'test/model/corpus.test.ts', 'test/model/growth.test.ts'], ['test/conformance/store-redis.test.ts']],
}

/** The code as it runs, without types: two texts that come to the same are the same. */
export function compiled(text) {
  return transformSync(text, { loader: 'ts', format: 'esm', target: 'es2022' }).code
}

/** The repository once more, for one mutant at a time. */
export class Copy {
  #root = mkdtempSync(join(tmpdir(), 'farebox-mutants-'))

  constructor(repository) {
    for (const part of ['packages', 'test', 'package.json', 'tsconfig.base.json']) {
      cpSync(join(repository, part), join(this.#root, part), { recursive: true, verbatimSymlinks: true })
    }
    for (const part of ['node_modules', 'examples']) symlinkSync(join(repository, part), join(this.#root, part))
  }

  /** Who kills the mutant, or `undefined`: it survives. The file is as it was after it. */
  async try({ file, language }, text) {
    const before = readFileSync(join(this.#root, file), 'utf8')
    try {
      if (!this.#put(file, text)) return 'build'
      for (const files of judges[language]) if (!await this.#passes(files)) return files[0]
      return undefined
    } finally {
      this.#put(file, before)
    }
  }

  close() {
    rmSync(this.#root, { recursive: true })
  }

  #put(file, text) {
    writeFileSync(join(this.#root, file), text)
    if (file.endsWith('.ts')) return this.#compile(file, text)
    const { status } = spawnSync('node', ['packages/redis/scripts/embed.js'], { cwd: this.#root, stdio: 'ignore' })
    const program = 'packages/redis/src/program.generated.ts'
    return status === 0 && this.#compile(program, readFileSync(join(this.#root, program), 'utf8'))
  }

  #compile(file, text) {
    writeFileSync(join(this.#root, file.replace('/src/', '/dist/').replace(/\.ts$/, '.js')), compiled(text))
    return true
  }

  #passes(files) {
    const run = spawn('node_modules/.bin/vitest', ['run', '--config', 'test/mutation/vitest.config.ts', '--bail', '1', ...files], { cwd: this.#root, stdio: 'ignore', detached: true })
    const giveUp = setTimeout(() => process.kill(-run.pid, 'SIGKILL'), LONGEST_MS)
    return new Promise((resolve) => {
      run.once('exit', (code) => {
        clearTimeout(giveUp)
        resolve(code === 0)
      })
    })
  }
}
