import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './workspace.js'

/** Runs tests and returns how many passed and failed. What failed outside of a test counts as a failed one. */
export function report(files, options) {
  const folder = mkdtempSync(join(tmpdir(), 'farebox-'))
  const file = join(folder, 'report.json')
  const status = run('npx', ['vitest', 'run', ...files, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`], options)
  const { passed, failed } = countsOf(file)
  rmSync(folder, { recursive: true })
  if (status === 0) return { passed, failed }
  if (failed === 0) console.log('the run failed outside of its tests')
  return { passed, failed: Math.max(failed, 1) }
}

function countsOf(file) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'))
    const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
    return { passed: numPassedTests, failed: numFailedTests + broken.length }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
