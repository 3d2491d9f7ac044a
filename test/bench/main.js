// `npm run bench`: every figure is a ratio or a difference within this one run, on a redis-server of its own.
import { measureFrameworks } from './frameworks.js'
import { startServer } from './server.js'
import { measureStore } from './store.js'

const server = await startServer()
try {
  console.log('Medians (quartiles).\n\nCPU µs a call of this process: what billing adds, within each round')
  console.table(await measureFrameworks(server.url))
  await measureStore(server)
} finally {
  await server.stop()
}
