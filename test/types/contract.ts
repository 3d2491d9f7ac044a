// What the rest of the HTTP contract promises to the compiler: operations, tokens, counts, events.
import { billing, memoryStore, metered, operations, priceBook, tokenUsage, type Events, type TokenUsage } from '@farebox/express'
import { meter } from '@farebox/core/meter'
import { same } from './same.js'
import { valibotInput, zodInput, zodOutput, type Input, type Output } from './schemas.js'

const store = memoryStore()

priceBook({
  'POST /tokens/zod': {
    product: 'a',
    ...tokenUsage({
      body: zodInput, rates: { input: 0.001, output: 0.002, cachedInput: 0.0005 },
      ceiling: ({ body }) => {
        same<Input>()(body)
        return { input: body.tags.length, output: 10 }
      },
    }),
    onAbort: 'ceiling',
  },
  'POST /tokens/valibot': {
    product: 'a',
    ...tokenUsage({ body: valibotInput, rates: { input: 1, output: 2 }, ceiling: ({ body }) => ({ input: body.tags.length }) }),
  },
  'POST /tokens/unit': {
    product: 'a',
    // @ts-expect-error tokens are input or output
    ...tokenUsage({ rates: { input: 1, output: 2 }, ceiling: () => ({ letters: 1 }) }),
  },
  'POST /operation': {
    product: 'a', price: 5, body: zodInput, response: zodOutput,
    operation: ({ body, response }) => {
      same<Input>()(body)
      same<Output>()(response.body)
      return response.body.found.join()
    },
  },
  'POST /operation/untyped': {
    product: 'a', price: 5,
    // @ts-expect-error without a schema nothing is known of the response
    operation: ({ response }) => response.body.id,
  },
  'POST /counted': {
    product: 'a',
    ...metered({ rates: { look: 1 }, ceiling: () => ({ look: 5 }) }),
  },
  'POST /counted/by-hand': {
    product: 'a', price: 5,
    charge: ({ counts, usage }) => {
      same<TokenUsage | undefined>()(usage)
      return counts['look'] ?? 0
    },
  },
  // @ts-expect-error one of three
  'POST /abort': { product: 'a', price: 1, onAbort: 'free' },
})

billing({
  account: () => 'a', store, enforce: false, endpoints: { operation: '/operations/:id', estimate: false },
  on: {
    settled: (event) => {
      same<Events['settled']>()(event)
      same<number>()(event.charge)
    },
    refused: async ({ code, enforced }) => {
      same<string>()(code)
      same<boolean>()(enforced)
      await Promise.resolve()
    },
    // @ts-expect-error a refusal has no charge
    released: ({ charge }) => charge,
    // @ts-expect-error no such event
    paid: () => {},
  },
})

const ended = await operations({ store }).succeed('op-1', { usage: { source: 2 }, result: { any: 'thing' } })
if (ended.kind === 'unknown') {
  // @ts-expect-error nothing is known of it
  ended.charge.toFixed()
} else {
  same<'pending' | 'succeeded' | 'failed' | 'expired'>()(ended.kind)
  same<number>()(ended.charge)
}
// @ts-expect-error a charge is credits
await operations({ store }).succeed('op-1', { charge: '5' })

same<number>()(meter.remaining())
same<AbortSignal>()(meter.signal)
// @ts-expect-error a quantity is a number
meter.count('look', '2')
