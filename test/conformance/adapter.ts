import { afterEach, describe, inject, vi } from 'vitest'
import { memoryStore, type Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import type { App, AppRoute, Framework } from '../support/apps/app.js'
import { serve } from '../support/apps/serve.js'
import { Api } from './adapter-api.js'
import { Audit } from './adapter-audit.js'
import { randomAbortRules } from './rules-abort-random.js'
import { abortRules } from './rules-abort.js'
import { FaultyStore } from './adapter-store.js'
import { allowanceRules } from './rules-allowance.js'
import { balanceRules } from './rules-balance.js'
import { budgetRules } from './rules-budgets.js'
import { endRules } from './rules-ends.js'
import { entryRules } from './rules-entries.js'
import { estimateRules } from './rules-estimate.js'
import { eventRules } from './rules-events.js'
import { idempotencyRules } from './rules-idempotency.js'
import { limitRules } from './rules-limits.js'
import { meterRules } from './rules-meter.js'
import { operationRules } from './rules-operation.js'
import { outageRules } from './rules-outage.js'
import { priceRules } from './rules-price.js'
import { refusalRules } from './rules-refusal.js'
import { remedyRules } from './rules-remedy.js'
import { responseRules } from './rules-response.js'
import { routeRules } from './rules-route.js'
import { shadowRules } from './rules-shadow.js'
import { streamRules } from './rules-stream.js'
import { thresholdRules } from './rules-threshold.js'
import { tokenRules } from './rules-tokens.js'

/** Options of billing for one test, with what else the suite may choose. */
export interface OpenOptions extends Omit<Partial<NonNullable<App['billing']>>, 'store' | 'logger'> {
  readonly routes: readonly AppRoute[]
  /** The store's clock, ms since the epoch. */
  readonly now?: () => number
  /** A Redis of the test's own. */
  readonly redisUrl?: string
  /** The app has no billing at all. */
  readonly unbilled?: boolean
  /** Has the balances of this app, as another process would. */
  readonly beside?: Api
}

/** What a rule is written against: apps of one framework on one kind of store. */
export interface Rig {
  readonly kind: 'memory' | 'redis'
  /** Serves an app. It is stopped after the test, and its responses are held against the ledger. */
  open(options: OpenOptions): Promise<Api>
}

/** Every rule of billing over real HTTP, on apps of a framework, with balances in memory and in Redis. */
export function testAdapter(name: string, framework: Framework): void {
  describe.each(['memory', 'redis'] as const)(`${name}, balances in %s`, (kind) => {
    const apis: Api[] = []
    afterEach(async () => {
      vi.useRealTimers()
      const ended = apis.splice(0)
      for (const api of ended) await api.stop()
      try {
        for (const audit of new Set(ended.map((api) => api.audit))) await audit.check()
      } finally {
        for (const { store } of ended) await store.inner.close()
      }
    })
    const rig: Rig = {
      kind,
      async open(options) {
        const api = await open(framework, kind, options)
        apis.push(api)
        return api
      },
    }
    for (const rules of [
      balanceRules, priceRules, refusalRules, remedyRules, responseRules, streamRules, tokenRules, meterRules, abortRules, randomAbortRules,
      routeRules, estimateRules, idempotencyRules, operationRules, outageRules, shadowRules, eventRules, budgetRules, limitRules, allowanceRules, thresholdRules, entryRules, endRules,
    ]) rules(rig)
  })
}

async function open(framework: Framework, kind: Rig['kind'], { routes, now, redisUrl, unbilled, beside, ...options }: OpenOptions): Promise<Api> {
  const warnings: string[] = []
  const errors: string[] = []
  const reopen = beside?.reopen ?? opener(kind, redisUrl, now)
  const store = new FaultyStore(reopen())
  const audit = beside?.audit ?? new Audit(store.inner)
  const logger = { warn: (message: string) => warnings.push(message), error: (message: string) => errors.push(message) }
  const built = framework({ routes, ...(!unbilled && { billing: { ...options, store, logger } }) })
  return new Api(built, await serve(built), store, audit, reopen, warnings, errors)
}

function opener(kind: Rig['kind'], url = inject('redisUrl'), now?: () => number): () => Store {
  const clock = now && { now }
  const memory = memoryStore(clock)
  const prefix = `adapter-${crypto.randomUUID()}`
  return () => (kind === 'memory' ? memory : redisStore(url, { prefix, ...clock }))
}
