import { billing, memoryStore } from '@farebox/hono'
import { Hono } from 'hono'
import { z } from 'zod'
const mode = process.argv[2]
const app = new Hono()
let n = 0
const prices = { 'POST /run': { product: 'run', ...(mode !== 'nobody' && { body: z.object({ domains: z.array(z.string()) }) }), price: mode === 'nobody' ? 2 : ({ body }) => body.domains.length } }
if (mode !== 'bare') app.use(billing({ account: () => `acct_${n++ % 1000}`, store: memoryStore(), allowance: 1e9, prices }))
app.post('/run', async (c) => c.json({ found: (await c.req.json()).domains }))
const body = JSON.stringify({ domains: ['a.example', 'b.example'] })
const run = async (N) => { const b = process.cpuUsage(); for (let i = 0; i < N; i++) { const r = await app.request('/run', { method: 'POST', body, headers: { 'content-type': 'application/json' } }); await r.text() } const { user, system } = process.cpuUsage(b); return (user + system) / N }
await run(3000)
console.log(mode, (await run(6000)).toFixed(1), (await run(6000)).toFixed(1))
