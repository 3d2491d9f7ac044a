import { priceBook } from '@farebox/core'
import { z } from 'zod'
import type { AppRoute, HandlerRequest } from './app.js'

/** A call of the random mix: what it may cost, what its route charges for it, and how its handler ends. */
export interface Work {
  readonly price: number
  readonly charge: number
  readonly end: 'json' | 'text' | 'empty' | 'status' | 'throw' | 'reject'
}

const Work = z.object({ price: z.number(), charge: z.number(), end: z.string() })

/** What is sold in the tests on several processes, with handlers that are held open and with all ways to end. */
export const workloadPrices = priceBook({
  'POST /hold': { product: 'holds', price: 75 },
  'POST /exact': { product: 'exact', metering: true, body: Work, price: ({ body }) => body.price },
  'POST /metered': { product: 'metered', metering: true, body: Work, price: ({ body }) => body.price, charge: ({ body }) => body.charge },
  'POST /by-answer': {
    product: 'by answer', metering: true, body: Work, response: z.object({ used: z.number() }),
    price: ({ body }) => body.price, charge: ({ response }) => response.body.used,
  },
  'POST /items/:id/run': { product: 'items', body: Work, price: ({ body }) => body.price, charge: ({ body }) => body.charge },
  'GET /free': 'free',
})

/** @param held resolves when the handlers that are held open may end */
export function workloadRoutes(held: () => Promise<void>): readonly AppRoute[] {
  return [
    { route: 'POST /hold', handler: () => held().then(() => ({ json: { ok: true } })) },
    ...['POST /exact', 'POST /metered', 'POST /by-answer', 'POST /items/:id/run'].map((route) => ({ route, handler: work })),
    { route: 'GET /free', handler: () => ({ json: { ok: true } }) },
  ]
}

function work({ body }: HandlerRequest) {
  const { charge, end } = body as Work
  switch (end) {
    case 'json': return { json: { used: charge } }
    case 'text': return { text: 'done' }
    case 'empty': return { status: 204 }
    case 'status': return { status: 500, json: { used: charge } }
    case 'throw': throw new Error('thrown by the handler')
    case 'reject': return Promise.reject(new Error('rejected by the handler'))
  }
}
