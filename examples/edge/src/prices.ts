import { metered, priceBook } from '@farebox/hono'
import { z } from 'zod'

export const ModerateInput = z.object({ texts: z.array(z.string().min(1).max(2_000)).min(1).max(50) })
export const SummarizeInput = z.object({ text: z.string().min(1).max(20_000) })
const ModerateResult = z.object({ verdicts: z.array(z.unknown()) })

/** What is sold here, in credits. */
export const prices = priceBook({
  'POST /v1/moderate': {
    product: 'moderation',
    expected: { lowMs: 1, highMs: 100 },
    metering: true,
    ...metered({
      body: ModerateInput,
      response: ModerateResult,
      rates: { text: 0.5 },
      ceiling: ({ body }) => ({ text: body.texts.length }),
      used: ({ response }) => ({ text: response.body.verdicts.length }),
    }),
  },
  'POST /v1/summarize': {
    product: 'summaries',
    expected: { lowMs: 1, highMs: 100 },
    body: SummarizeInput,
    price: ({ body }) => Math.ceil(body.text.length / 1_000),
  },
})
