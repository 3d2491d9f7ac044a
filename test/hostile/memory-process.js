// Rounds of hostile requests in a process of their own, and what it holds after each: run with --expose-gc, prints JSON.
import { createServer, request } from 'node:http'
import { once } from 'node:events'
import { billing, memoryStore } from '@farebox/express'
import express from 'express'

const [rounds, calls] = process.argv.slice(2).map(Number)

const app = express()
app.use(billing({
  account: (req) => req.get('x-account'), store: memoryStore(), allowance: 1, logger: { warn() {}, error() {} },
  prices: { 'POST /sold': { product: 'p', body: { '~standard': { version: 1, vendor: 'x', validate: (value) => (value?.count > 0 ? { value } : { issues: [{ message: 'no' }] }) } }, price: ({ body }) => body.count } },
}))
app.post('/sold', (_req, res) => res.json({}))
const server = createServer(app).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()

/** None of these can pay or be read, so a balance in memory is made for none of them but `ada`'s. */
const BODIES = ['{"count":1e9}', '[', '{"__proto__":{"count":1}}', `{"count":2,"x":"${'x'.repeat(20_000)}"}`, '[['.repeat(5_000), '\ud800', `{"count":0,"x":${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}}`]

async function call(i) {
  const sent = request({ port, host: '127.0.0.1', method: 'POST', path: `/sold?${i}`, agent: false, headers: { 'content-type': 'application/json', 'x-account': 'ada', 'x-request-id': `r${i}`, 'idempotency-key': `k${i}` } })
  sent.on('error', () => {})
  // Every fifth leaves in the middle of its body.
  if (i % 5 === 0) {
    sent.write('{"count":')
    await once(sent, 'socket')
    sent.destroy()
    return
  }
  sent.end(BODIES[i % BODIES.length])
  const [response] = await once(sent, 'response')
  response.resume()
  await once(response, 'end')
}

const held = []
for (let round = 0, i = 0; round < rounds; round++) {
  for (let done = 0; done < calls; done += 20) await Promise.all(Array.from({ length: 20 }, () => call(i++)))
  await new Promise((resolve) => setTimeout(resolve, 20))
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  // The bytes of buffers are no part of the heap.
  held.push(heapUsed + external)
}
console.log(JSON.stringify(held))
process.exit(0)
