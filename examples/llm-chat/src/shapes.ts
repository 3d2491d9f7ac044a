import { z } from 'zod'

/** What of OpenAI's chat completion request this server knows; the rest is ignored. */
export const ChatInput = z.object({
  model: z.string().default('echo-1'),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  max_tokens: z.int().min(1).max(4_096).default(256),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().default(false) }).default({ include_usage: false }),
})
