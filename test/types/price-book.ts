// Compiled, never run: what a price book's types let through and what they stop.
import { metered, priceBook, type Query } from '@farebox/core'
import { notAny, same } from './same.js'
import { valibotInput, valibotOutput, zodInput, zodOutput, type Input, type Output } from './schemas.js'

export const prices = priceBook({
  'POST /zod': {
    product: 'a', body: zodInput, response: zodOutput,
    price: ({ body, params, query, account, header }) => {
      same<Input>()(body)
      same<Readonly<Record<string, string>>>()(params)
      same<Query>()(query)
      same<string>()(account)
      same<string | undefined>()(header('x'))
      notAny(body)
      return body.count
    },
    charge: ({ body, response, ceiling }) => {
      same<Input>()(body)
      same<Output>()(response.body)
      same<number>()(response.status)
      same<number>()(ceiling)
      notAny(response.body)
      return { credits: response.body.found.length, items: [] }
    },
  },
  'POST /valibot': {
    product: 'a', body: valibotInput, response: valibotOutput,
    price: ({ body }) => {
      same<Input>()(body)
      return body.count
    },
    charge: ({ body, response }) => {
      same<Input>()(body)
      same<Output>()(response.body)
      return response.body.found.length
    },
  },
  'POST /zod/typo': {
    product: 'a', body: zodInput,
    // @ts-expect-error the schema has no such field
    price: ({ body }) => body.nope,
  },
  'POST /valibot/typo': {
    product: 'a', body: valibotInput,
    // @ts-expect-error the schema has no such field
    price: ({ body }) => body.nope,
  },
  'POST /charge/typo': {
    product: 'a', price: 1, response: zodOutput,
    // @ts-expect-error the response's schema has no such field
    charge: ({ response }) => response.body.nope,
  },
  'POST /no/schema': {
    product: 'a',
    price: ({ body }) => {
      same<unknown>()(body)
      notAny(body)
      return 1
    },
    charge: ({ response }) => {
      same<unknown>()(response.body)
      return 1
    },
  },
  'POST /field': {
    product: 'a', body: zodInput,
    // @ts-expect-error a list is no number of credits
    price: ({ body }) => body.tags,
  },
  'POST /metered/zod': {
    product: 'a', metering: true, maxDuration: 5,
    ...metered({
      body: zodInput, response: zodOutput, rates: { tag: 1, hit: 0.5 },
      ceiling: ({ body }) => {
        same<Input>()(body)
        return { tag: body.tags.length, hit: 10 }
      },
      used: ({ body, response }) => {
        same<Input>()(body)
        same<Output>()(response.body)
        return { hit: response.body.found.length }
      },
    }),
  },
  'POST /metered/valibot': {
    product: 'a',
    ...metered({
      body: valibotInput, response: valibotOutput, rates: { tag: 1 },
      ceiling: ({ body }) => ({ tag: body.tags.length }),
      used: ({ response }) => ({ tag: response.body.found.length }),
    }),
  },
  'GET /free': 'free',
})

same<number>()(prices['POST /zod'] === 'free' ? 0 : 1)

priceBook({
  // @ts-expect-error a route has a product
  'POST /a': { price: 1 },
})
priceBook({
  // @ts-expect-error a route has a price
  'POST /a': { product: 'a' },
})
priceBook({
  // @ts-expect-error a product is a name
  'POST /a': { product: 5, price: 1 },
})
priceBook({
  // @ts-expect-error a price is a number
  'POST /a': { product: 'a', price: '5' },
})
priceBook({
  // @ts-expect-error 'free' is the only word there is
  'POST /a': 'gratis',
})
priceBook({
  // @ts-expect-error `prise` is no field of a route
  'POST /a': { product: 'a', price: 1, prise: 2 },
})
priceBook({
  // @ts-expect-error a promise is no price
  'POST /a': { product: 'a', price: async () => 5 },
})
priceBook({
  // @ts-expect-error a schema is more than a function
  'POST /a': { product: 'a', price: 1, body: (input: unknown) => input },
})

metered({
  rates: { domain: 1 },
  // @ts-expect-error `domian` has no rate
  ceiling: () => ({ domian: 5 }),
  used: () => ({ domain: 5 }),
})
metered({
  rates: { domain: 1 },
  ceiling: () => ({ domain: 5 }),
  // @ts-expect-error `page` has no rate
  used: () => ({ page: 5 }),
})
metered({
  rates: { domain: 1 },
  // @ts-expect-error a quantity is a number
  ceiling: () => ({ domain: '5' }),
  used: () => ({}),
})
metered({
  // @ts-expect-error a rate is a number
  rates: { domain: '1' },
  ceiling: () => ({}),
  used: () => ({}),
})
metered({
  body: zodInput, response: valibotOutput, rates: { tag: 1 },
  // @ts-expect-error the schema has no such field
  ceiling: ({ body }) => ({ tag: body.nope }),
  // @ts-expect-error the response's schema has no such field
  used: ({ response }) => ({ tag: response.body.nope }),
})
