import { Hono } from 'hono'
import { billing, type Store } from '@farebox/hono'
import { apiKeyOf } from 'example-support'
import { onError } from './errors.js'
import { prices } from './prices.js'
import { personas } from './products/personas.js'
import { populations } from './products/populations.js'
import { socialLearning } from './products/social-learning.js'
import { socialMemory } from './products/social-memory.js'
import { socialObservability } from './products/social-observability.js'
import { theoryOfMind } from './products/theory-of-mind.js'

/** The API, sold by the credit. */
export function createApp({ store, allowance }: { readonly store: Store; readonly allowance: number }) {
  const bill = billing({ account: (c) => apiKeyOf((name) => c.req.header(name)), store, allowance, prices })
  const app = new Hono()
    .use(bill)
    .route('/v1/personas', personas())
    .route('/v1/populations', populations())
    .route('/v1/social-learning', socialLearning())
    .route('/v1/theory-of-mind', theoryOfMind())
    .route('/v1/social-observability', socialObservability())
    .route('/v1/social-memory', socialMemory())
    .onError(onError)
  return { app, bill }
}
