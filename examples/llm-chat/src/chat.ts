import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Context } from 'koa'
import { complete, promptTokens } from './model.js'
import { ChatInput } from './shapes.js'
import { eventsOf } from './stream.js'

/** OpenAI's `POST /v1/chat/completions`. */
export function chatCompletions(ctx: Context): void {
  const { model, messages, max_tokens, stream, stream_options } = ChatInput.parse(ctx.request.body)
  const completion = complete(messages, max_tokens)
  const prompt_tokens = promptTokens(messages)
  const usage = { prompt_tokens, completion_tokens: completion.tokens, total_tokens: prompt_tokens + completion.tokens }
  const about = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1_000), model }
  if (stream) {
    ctx.type = 'text/event-stream'
    ctx.body = Readable.from(eventsOf(completion, about, stream_options.include_usage ? usage : undefined))
    return
  }
  ctx.body = {
    ...about,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: completion.text }, finish_reason: completion.finish }],
    usage,
  }
}
