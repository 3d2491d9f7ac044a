import { metered, priceBook } from '@farebox/hono'
import { AnalyzeInput, EnhanceInput, ExtractInput, ExtractResult, ForeseeInput, GenerateInput, ReadInput, ReadResult, ValidateInput } from './shapes.js'

const perThousand = (characters: number): number => Math.ceil(characters / 1_000)

/** How long a call takes, until enough of them were seen: ms. */
const soon = { lowMs: 1, highMs: 100 }

/** What Humalike sells, in credits. */
export const prices = priceBook({
  'POST /v1/personas/generate': {
    product: 'personas',
    expected: soon,
    body: GenerateInput,
    price: ({ body }) => body.count * (body.detail === 'long' ? 5 : 2),
  },
  'POST /v1/personas/enhance': {
    product: 'personas',
    expected: soon,
    body: EnhanceInput,
    price: ({ body }) => 3 * body.personas.length,
  },
  'POST /v1/populations/validate': {
    product: 'populations',
    expected: soon,
    body: ValidateInput,
    price: ({ body }) => Math.ceil(body.size / 100),
  },
  'POST /v1/social-learning/profiles/extract': {
    product: 'social-learning',
    expected: soon,
    body: ExtractInput,
    response: ExtractResult,
    price: ({ body }) => perThousand(body.transcript.length),
    charge: ({ response }) => perThousand(response.body.charactersAnalysed),
  },
  'POST /v1/theory-of-mind/foresee': {
    product: 'theory-of-mind',
    expected: soon,
    body: ForeseeInput,
    price: ({ body }) => perThousand(body.transcript.length) * body.horizon,
  },
  'POST /v1/social-observability/analyze': {
    product: 'social-observability',
    expected: soon,
    body: AnalyzeInput,
    price: ({ body }) => 0.05 * body.events.length,
  },
  'POST /v1/social-memory/read': {
    product: 'social-memory',
    expected: soon,
    ...metered({
      body: ReadInput,
      response: ReadResult,
      rates: { memory: 0.1 },
      ceiling: ({ body }) => ({ memory: body.limit }),
      used: ({ response }) => ({ memory: response.body.memories.length }),
    }),
  },
  'POST /v1/social-memory/ingest': 'free',
})
