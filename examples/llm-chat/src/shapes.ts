import { z } from 'zod'

/** What of OpenAI's chat completion request this server knows; the rest is ignored. */
export const ChatInput = z.object({
  model: z.string().default('echo-1'),
  messages: z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })).min(1),
  max_tokens: z.int().min(1).max(4_096).default(256),
  stream: z.boolean().default(false),
})

/** What of the response decides the charge. */
export const ChatResult = z.object({
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }),
})
