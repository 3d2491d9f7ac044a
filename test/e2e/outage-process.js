// A process for outage-restarts.test.ts: an app with a spool, whose handlers wait until they are told to go on.
import { spoolDirectory } from '@farebox/core/spool'
import { billing } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import express from 'express'

const { REDIS_URL, PREFIX, SPOOL, STORE_TIMEOUT } = process.env
const app = express()
app.use(billing({
  account: () => 'ada',
  store: redisStore(REDIS_URL, { prefix: PREFIX }),
  allowance: 1_000_000,
  storeTimeout: Number(STORE_TIMEOUT),
  spool: spoolDirectory(SPOOL),
  prices: { 'POST /run/:credits': { product: 'runs', price: ({ params }) => Number(params.credits), metering: true } },
  logger: { warn() {}, error() {} },
}))
const go = new Promise((resolve) => { process.once('message', resolve) })
app.post('/run/:credits', async (req, res) => {
  process.send('running')
  await go
  res.json({})
})
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
