// pnpm check: build, lint, unused code, types, tests. Ends with what the tests came to, on a line of its own.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, script } from './workspace.js'

for (const step of ['build', 'lint', 'unused', 'types']) {
  console.log(`${step}…`)
  if (script(step) === 0) continue
  console.log(`${step} failed: no test was run`)
  end(0, 1)
}
end(...test())

/** Runs the tests and returns how many passed and failed. What failed outside of a test counts as a failed one. */
function test() {
  const folder = mkdtempSync(join(tmpdir(), 'farebox-'))
  const report = join(folder, 'report.json')
  const status = run('npx', ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
  const { passed, failed } = countsOf(report)
  rmSync(folder, { recursive: true })
  if (status === 0) return [passed, failed]
  if (failed === 0) console.log('the run failed outside of its tests')
  return [passed, Math.max(failed, 1)]
}

function countsOf(report) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
    return { passed: numPassedTests, failed: numFailedTests + broken.length }
  } catch {
    return { passed: 0, failed: 0 }
  }
}

function end(passed, failed) {
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}
