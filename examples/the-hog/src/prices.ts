import { metered, priceBook } from '@farebox/express'
import { emailFinders } from './providers/email-finders.js'
import { EnrichInput, EnrichResult, GenerateInput, GenerateResult, ResearchAccepted, ResearchInput, SearchInput, SearchResult, uniqueDomains } from './shapes.js'

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
    providers: ['directory'],
    expected: { lowMs: 1, highMs: 100 },
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
    providers: emailFinders.map(({ name }) => name),
    expected: { lowMs: 1, highMs: 100 },
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
    providers: ['writer'],
    expected: { lowMs: 1, highMs: 100 },
  },
  'POST /api/deep-research': {
    product: 'deep-research',
    body: ResearchInput,
    response: ResearchAccepted,
    price: 50,
    rates: { source: 10 },
    operation: ({ response }) => response.body.operationId,
    metering: true,
    providers: ['web', 'writer'],
    expected: { credits: 30, lowMs: 1_000, highMs: 1_500 },
    maxDuration: 60_000,
  },
  'GET /api/health': 'free',
})
