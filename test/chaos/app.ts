// An app in a process of its own, for anybody to kill. Forked; its set-up is in CHAOS, it tells its parent where it serves and what it gives up. Any message closes it.
import { billing, priceBook } from '@farebox/express'
import { redisStore } from '@farebox/redis'
import express from 'express'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Setup } from './app-process.js'
import { openClient } from './connection.js'

const { where, prefix, reservationTtl, storeTimeout, clockOff } = JSON.parse(process.env['CHAOS']!) as Setup

if (clockOff !== 0) {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...args: [] | [number]) {
      super(...(args.length === 0 ? [Right.now() + clockOff] as const : args))
    }

    static override now(): number {
      return Right.now() + clockOff
    }
  } as DateConstructor
}

const Work = z.object({ price: z.number(), charge: z.number(), ms: z.number() })

const givenUp = (line: string) => { if (line.startsWith('farebox: given up')) process.send!({ givenUp: line }) }
// What a user gives: a URL is the store's own to open.
const store = redisStore(typeof where === 'string' ? where : openClient(where), { prefix })
const bill = billing({
  account: (req) => req.get('x-account'),
  store, allowance: 100, reservationTtl, storeTimeout, logger: { warn: () => {}, error: givenUp },
  prices: priceBook({
    'POST /work': {
      product: 'work', metering: true,
      body: Work,
      price: ({ body }) => body.price,
      response: z.object({ charge: z.number() }),
      charge: ({ response }) => response.body.charge,
    },
    'POST /grants': 'free',
  }),
})

const app = express()
app.use(express.json(), bill)
app.post('/work', (req, res) => {
  const { charge, ms } = req.body as z.infer<typeof Work>
  setTimeout(() => res.json({ charge }), ms)
})
app.post('/grants', async (req, res) => {
  const { id, credits } = req.body as { id: string, credits: number }
  await bill.grant(req.get('x-account')!, credits, { id, reason: 'top-up' })
  res.json({})
})

const server = app.listen(0, '127.0.0.1', () => process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
process.on('disconnect', () => process.exit())
process.on('message', async () => {
  server.close()
  await bill.close()
  // Behind what it gave up, which is heard then.
  process.send!({}, () => process.exit())
})
