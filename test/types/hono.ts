// Compiled, never run: `billing` and `billable` of Hono with everything written inline.
import { billable, billing, memoryStore, metered } from '@farebox/hono'
import type { Context, Env } from 'hono'
import { prices } from './price-book.js'
import { notAny, same } from './same.js'
import { valibotInput, valibotOutput, zodInput, zodOutput, type Input, type Output } from './schemas.js'

const store = memoryStore()

billing({
  account: (c) => {
    same<Context<Env>>()(c)
    return c.req.header('x-account')
  },
  store,
  prices: {
    'POST /zod': {
      product: 'a', body: zodInput, response: zodOutput,
      price: ({ body, params }) => {
        same<Input>()(body)
        notAny(body)
        notAny(params)
        return body.count
      },
      charge: ({ response }) => {
        same<Output>()(response.body)
        notAny(response.body)
        return response.body.found.length
      },
    },
    'POST /zod/typo': {
      product: 'a', body: zodInput,
      // @ts-expect-error the schema has no such field
      price: ({ body }) => body.nope,
    },
    'POST /valibot': {
      product: 'a', body: valibotInput, response: valibotOutput,
      price: ({ body }) => body.count,
      charge: ({ response }) => response.body.found.length,
    },
    'POST /valibot/typo': {
      product: 'a', body: valibotInput,
      // @ts-expect-error the schema has no such field
      price: ({ body }) => body.nope,
    },
    'POST /metered': {
      product: 'a',
      ...metered({ body: zodInput, response: zodOutput, rates: { hit: 1 }, ceiling: ({ body }) => ({ hit: body.count }), used: ({ response }) => ({ hit: response.body.found.length }) }),
    },
    // @ts-expect-error a route has a product
    'POST /none': { price: 1 },
    // @ts-expect-error `prise` is no field of a route
    'POST /field': { product: 'a', body: zodInput, price: ({ body }) => body.count, prise: 1 },
    'GET /free': 'free',
  },
})

billing({ account: () => 'ada', store, prices, allowance: 5, endpoints: { balance: false }, logger: console })
billing({ account: async () => null, store })
billing({ account: (c: Context<{ Variables: { user: { id: string } } }>) => c.get('user').id, store })

// @ts-expect-error billing needs a store
billing({ account: () => 'ada' })
// @ts-expect-error an account is a string
billing({ account: () => 5, store })
// @ts-expect-error `allowence` is no option
billing({ account: () => 'ada', store, allowence: 5 })
// @ts-expect-error a store is no text
billing({ account: () => 'ada', store: 'redis' })
// @ts-expect-error nothing else is known of what is not listed
billing({ account: () => 'ada', store, unlisted: 'paid' })

billable({
  product: 'a', body: zodInput, response: zodOutput,
  price: ({ body }) => {
    same<Input>()(body)
    return body.count
  },
  charge: ({ response }) => {
    same<Output>()(response.body)
    return response.body.found.length
  },
})
billable({
  product: 'a', body: valibotInput,
  // @ts-expect-error the schema has no such field
  price: ({ body }) => body.nope,
})
// @ts-expect-error `prise` is no field of a route
billable({ product: 'a', price: 1, prise: 2 })
// @ts-expect-error a free route needs no gate
billable('free')
