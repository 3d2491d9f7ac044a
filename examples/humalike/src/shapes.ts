import { z } from 'zod'

const Transcript = z.string().max(200_000)

export const GenerateInput = z.object({ count: z.int().min(1).max(50), detail: z.enum(['short', 'long']).default('short') })
export const EnhanceInput = z.object({ personas: z.array(z.unknown()) })
export const ValidateInput = z.object({ size: z.int().min(1).max(10_000) })
export const ExtractInput = z.object({ transcript: Transcript })
export const ForeseeInput = z.object({ transcript: Transcript, horizon: z.int().min(1).max(10) })
export const AnalyzeInput = z.object({ events: z.array(z.unknown()) })
export const IngestInput = z.object({ memories: z.array(z.string().min(1)) })
export const ReadInput = z.object({ query: z.string(), limit: z.int().min(1).max(100) })

/** What of the responses decides a charge. */
export const ExtractResult = z.object({ charactersAnalysed: z.int().min(0) })
export const ReadResult = z.object({ memories: z.array(z.string()) })
