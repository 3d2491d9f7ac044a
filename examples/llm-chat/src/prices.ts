import { priceBook, tokenUsage } from '@farebox/koa'
import { promptTokens } from './model.js'
import { ChatInput } from './shapes.js'

/** What the chat server sells, in credits. */
export const prices = priceBook({
  'POST /v1/chat/completions': {
    product: 'chat',
    expected: { lowMs: 10, highMs: 2_000 },
    ...tokenUsage({
      body: ChatInput,
      rates: { input: 0.001, output: 0.002 },
      ceiling: ({ body }) => ({ input: promptTokens(body.messages), output: body.max_tokens }),
    }),
  },
})
