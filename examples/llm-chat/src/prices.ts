import { metered, priceBook } from '@farebox/koa'
import { promptTokens } from './model.js'
import { ChatInput, ChatResult } from './shapes.js'

/** What the chat server sells, in credits. */
export const prices = priceBook({
  'POST /v1/chat/completions': {
    product: 'chat',
    ...metered({
      body: ChatInput,
      response: ChatResult,
      rates: { prompt_token: 0.001, completion_token: 0.002 },
      ceiling: ({ body }) => ({ prompt_token: promptTokens(body.messages), completion_token: body.max_tokens }),
      used: ({ response: { body: { usage } } }) => ({ prompt_token: usage.prompt_tokens, completion_token: usage.completion_tokens }),
    }),
  },
})
