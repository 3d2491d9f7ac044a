import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './workspace.js'

/**
 * Runs tests and returns how many passed and failed; what failed outside of a test counts as a failed one. Where tests
 * held a ledger against what clients were told, how much that was and how much of it was lost.
 */
export function report(files, options) {
  const folder = mkdtempSync(join(tmpdir(), 'farebox-'))
  const file = join(folder, 'report.json')
  const status = run('npx', ['vitest', 'run', ...files, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`], options)
  const counts = countsOf(file)
  rmSync(folder, { recursive: true })
  if (status === 0) return counts
  if (counts.failed === 0) console.log('the run failed outside of its tests')
  return { ...counts, failed: Math.max(counts.failed, 1) }
}

function countsOf(file) {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(file, 'utf8'))
    const broken = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
    const books = testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ meta }) => meta?.told)
    const total = (name) => books.reduce((sum, { meta }) => sum + meta[name], 0)
    return { passed: numPassedTests, failed: numFailedTests + broken.length, ...(books.length > 0 && { told: total('told'), lost: total('lost') }) }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
