import express, { Router, type Express } from 'express'
import { billing, type Store } from '@farebox/express'
import { apiKeyOf } from 'example-support'
import { deepResearch, type Begin } from './handlers/deep-research.js'
import { enrichPerson } from './handlers/enrich-person.js'
import { generate } from './handlers/generate.js'
import { health } from './handlers/health.js'
import { searchCompanies } from './handlers/search-companies.js'
import { onError, requestId, simulate } from './middleware.js'
import { prices } from './prices.js'
import { runJob } from './research/run-job.js'

/** The API, sold by the credit. */
export function createApp({ store, allowance, begin }: {
  readonly store: Store
  readonly allowance: number
  /** Who researches. Default: this process. */
  readonly begin?: Begin
}) {
  const bill = billing({ account: (req) => apiKeyOf((name) => req.get(name)), store, allowance, prices, endpoints: { operation: '/api/operations/:id' } })
  const runHere: Begin = async (job) => void runJob(bill.operations, job).catch(console.error)
  const api = Router()
    .get('/health', health)
    .post('/companies/search', simulate, searchCompanies)
    .post('/people/enrich', simulate, enrichPerson)
    .post('/generate', simulate, generate)
    .post('/deep-research', simulate, deepResearch(begin ?? runHere))
  const app: Express = express()
    .disable('x-powered-by')
    .use(requestId)
    .use(express.json({ limit: '1mb' }))
    .use(bill)
    .use('/api', api)
    .use(onError)
  return { app, bill }
}
