import { metered, priceBook } from '@farebox/hono'
import { AnalyzeInput, EnhanceInput, ExtractInput, ExtractResult, ForeseeInput, GenerateInput, ReadInput, ReadResult, ValidateInput } from './shapes.js'

const perThousand = (characters: number): number => Math.ceil(characters / 1_000)

/** What Humalike sells, in credits. */
export const prices = priceBook({
  'POST /v1/personas/generate': {
    product: 'personas',
    body: GenerateInput,
    price: ({ body }) => body.count * (body.detail === 'long' ? 5 : 2),
  },
  'POST /v1/personas/enhance': {
    product: 'personas',
    body: EnhanceInput,
    price: ({ body }) => 3 * body.personas.length,
  },
  'POST /v1/populations/validate': {
    product: 'populations',
    body: ValidateInput,
    price: ({ body }) => Math.ceil(body.size / 100),
  },
  'POST /v1/social-learning/profiles/extract': {
    product: 'social-learning',
    body: ExtractInput,
    response: ExtractResult,
    price: ({ body }) => perThousand(body.transcript.length),
    charge: ({ response }) => perThousand(response.body.charactersAnalysed),
  },
  'POST /v1/theory-of-mind/foresee': {
    product: 'theory-of-mind',
    body: ForeseeInput,
    price: ({ body }) => perThousand(body.transcript.length) * body.horizon,
  },
  'POST /v1/social-observability/analyze': {
    product: 'social-observability',
    body: AnalyzeInput,
    price: ({ body }) => 0.05 * body.events.length,
  },
  'POST /v1/social-memory/read': {
    product: 'social-memory',
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
