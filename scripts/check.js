// pnpm check: build, lint, unused code, types, tests. Ends with what the tests came to, on a line of its own.
import { report } from './report.js'
import { script } from './workspace.js'

for (const step of ['build', 'lint', 'unused', 'types']) {
  console.log(`${step}…`)
  if (script(step) === 0) continue
  console.log(`${step} failed: no test was run`)
  end({ passed: 0, failed: 1 })
}
end(report([]))

function end({ passed, failed }) {
  console.log(`\n${passed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}
