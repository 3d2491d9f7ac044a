import { z } from 'zod'

export const SearchInput = z.object({ domains: z.array(z.string().min(1).max(253)).max(100) })
export const EnrichInput = z.object({
  name: z.string().min(1),
  company: z.string().min(1),
  maxEmailProviderAttempts: z.int().min(1).max(4).default(4),
})
export const GenerateInput = z.object({ prompt: z.string().min(1), maxTokens: z.int().min(1).max(4_000) })

export const ResearchInput = z.object({ question: z.string().trim().min(1).max(2_000) })

/** What of the responses decides a charge. */
export const SearchResult = z.object({ meta: z.object({ consulted: z.array(z.string()) }) })
export const EnrichResult = z.object({ data: z.object({ attempts: z.array(z.unknown()) }) })
export const GenerateResult = z.object({ data: z.object({ tokens: z.int().min(0) }) })

export const ResearchAccepted = z.object({ operationId: z.string() })

/** Each domain once, however it is written. */
export function uniqueDomains(domains: readonly string[]): string[] {
  return [...new Set(domains.map((domain) => domain.toLowerCase()))]
}
