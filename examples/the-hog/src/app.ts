import express, { Router, type Express } from 'express'
import { billing, type Store } from '@farebox/express'
import { enrichPerson } from './handlers/enrich-person.js'
import { generate } from './handlers/generate.js'
import { health } from './handlers/health.js'
import { searchCompanies } from './handlers/search-companies.js'
import { onError, requestId, simulate } from './middleware.js'
import { prices } from './prices.js'

/** The API, sold by the credit. */
export function createApp({ store, allowance }: { readonly store: Store; readonly allowance: number }) {
  const bill = billing({ account: (req) => req.get('x-api-key'), store, allowance, prices })
  const api = Router()
    .get('/health', health)
    .post('/companies/search', simulate, searchCompanies)
    .post('/people/enrich', simulate, enrichPerson)
    .post('/generate', simulate, generate)
  const app: Express = express()
    .disable('x-powered-by')
    .use(requestId)
    .use(express.json({ limit: '1mb' }))
    .use(bill)
    .use('/api', api)
    .use(onError)
  return { app, bill }
}
