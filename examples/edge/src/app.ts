import { billing, memoryStore } from '@farebox/hono'
import { Hono, type ErrorHandler } from 'hono'
import { streamText } from 'hono/streaming'
import { ZodError } from 'zod'
import { ModerateInput, prices, SummarizeInput } from './prices.js'
import { simulate } from './simulate.js'

const RUDE = /\b(?:stupid|idiot|shut up)\b/i

/** The API, sold by the credit. Balances live as long as the isolate that made it. */
export function createApp(allowance: number) {
  const bill = billing({ account: (c) => c.req.header('x-api-key'), store: memoryStore(), allowance, prices })
  const app = new Hono()
    .use(bill)
    .post('/v1/moderate', simulate, async (c) => {
      const { texts } = ModerateInput.parse(await c.req.json())
      // The same text is judged once, and charged once.
      return c.json({ verdicts: [...new Set(texts)].map((text) => ({ text, allowed: !RUDE.test(text) })) })
    })
    .post('/v1/summarize', simulate, async (c) => {
      const { text } = SummarizeInput.parse(await c.req.json())
      const sentences = text.match(/[^.!?]+[.!?]*/g) ?? []
      return streamText(c, async (stream) => {
        for (const sentence of sentences.filter((_, i) => i % 3 === 0)) {
          await stream.writeln(sentence.trim())
          await stream.sleep(1)
        }
      })
    })
    .onError(onError)
  return { app, bill }
}

const onError: ErrorHandler = (error, c) => {
  if (error instanceof ZodError || error instanceof SyntaxError) return c.json({ error: { code: 'INVALID_REQUEST', message: 'invalid input', details: {} } }, 422)
  console.error(error)
  return c.json({ error: { code: 'INTERNAL', message: 'something broke', details: {} } }, 500)
}
