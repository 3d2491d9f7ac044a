import { EXIT } from './output.js'
import { run } from './run.js'

// Whoever reads may have read enough.
process.stdout.on('error', () => process.exit(EXIT.failed))
await run(process.argv.slice(2))
