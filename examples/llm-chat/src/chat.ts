import { randomUUID } from 'node:crypto'
import type { Context } from 'koa'
import { openAiError } from './errors.js'
import { complete, promptTokens } from './model.js'
import { ChatInput } from './shapes.js'

/** OpenAI's `POST /v1/chat/completions`. */
export function chatCompletions(ctx: Context): void {
  const { model, messages, max_tokens, stream } = ChatInput.parse(ctx.request.body)
  if (stream) {
    ctx.status = 400
    ctx.body = openAiError('streaming is not supported', 'stream')
    return
  }
  const { text, tokens, finish } = complete(messages, max_tokens)
  const prompt_tokens = promptTokens(messages)
  ctx.body = {
    id: `chatcmpl-${randomUUID()}`,
    object: 'chat.completion',
    created: Math.floor(Date.now() / 1_000),
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finish }],
    usage: { prompt_tokens, completion_tokens: tokens, total_tokens: prompt_tokens + tokens },
  }
}
