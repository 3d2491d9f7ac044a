import { metered, priceBook } from '@farebox/express'
import { EnrichInput, EnrichResult, GenerateInput, GenerateResult, SearchInput, SearchResult, uniqueDomains } from './shapes.js'

/** What The Hog sells, in credits. */
export const prices = priceBook({
  'POST /api/companies/search': {
    product: 'company-search',
    ...metered({
      body: SearchInput,
      response: SearchResult,
      rates: { domain: 1 },
      ceiling: ({ body }) => ({ domain: uniqueDomains(body.domains).length }),
      used: ({ response }) => ({ domain: response.body.meta.consulted.length }),
    }),
    metering: true,
  },
  'POST /api/people/enrich': {
    product: 'people-enrichment',
    ...metered({
      body: EnrichInput,
      response: EnrichResult,
      rates: { attempt: 2 },
      ceiling: ({ body }) => ({ attempt: body.maxEmailProviderAttempts }),
      used: ({ response }) => ({ attempt: response.body.data.attempts.length }),
    }),
  },
  'POST /api/generate': {
    product: 'generation',
    ...metered({
      body: GenerateInput,
      response: GenerateResult,
      rates: { call: 1, token: 0.01 },
      ceiling: ({ body }) => ({ call: 1, token: body.maxTokens }),
      used: ({ response }) => ({ call: 1, token: response.body.data.tokens }),
    }),
  },
  'GET /api/health': 'free',
})
