// Compiled, never run: the options of Express's billing that depend on who calls, and those that tell.
import {
  billing, memoryStore, operations, type AutoTopUp, type BelowThreshold, type BudgetLimit, type Events, type Limit, type RecurringAllowanceOptions, type ThresholdEvent, type TopUpNeed,
  type UsedThreshold, type WorkerOperations,
} from '@farebox/express'
import type { Request } from 'express'
import { notAny, same } from './same.js'

const store = memoryStore()
const base = { account: () => 'ada', store }

const bill = billing({
  ...base,
  maxCeiling: (req) => {
    same<Request>()(req)
    return Number(req.get('x-most'))
  },
  maxPerDay: async (req) => {
    same<Request>()(req)
    return req.get('x-most') ? 5 : undefined
  },
  budgets: (req) => {
    same<Request>()(req)
    return [{ scope: `key:${req.get('x-key')}`, limit: 1_000, window: 'day' }]
  },
  allowance: { credits: 100, every: 'month', rollover: 20 },
  onThreshold: [{ below: 20 }, { used: 0.8 }],
  autoTopUp: { below: 5, topUp: async (need) => {
    same<TopUpNeed>()(need)
    notAny(need.balance)
    return 50
  } },
  priceBookVersion: '2026-03',
  on: { threshold: (event) => {
    same<Events['threshold']>()(event)
    same<ThresholdEvent>()(event)
    same<number>()('below' in event ? event.below : event.used)
  } },
})

billing({ ...base, maxCeiling: 5, maxPerDay: 10, budgets: async () => [] })
billing({ ...base, budgets: async (req) => [{ scope: req.get('x-key') ?? '', limit: 1, window: 'total' }] })
const limit: Limit<Request> = (req) => req.get('x-most')?.length
billing({ ...base, maxCeiling: limit, maxPerDay: limit })
const budget: BudgetLimit = { scope: 'a', limit: 1, window: 'month' }
billing({ ...base, budgets: () => [budget] })
const terms: { allowance: RecurringAllowanceOptions; autoTopUp: AutoTopUp; onThreshold: (BelowThreshold | UsedThreshold)[] } = {
  allowance: { credits: 1, every: 'day' }, autoTopUp: { below: 1, topUp: () => 0 }, onThreshold: [],
}
billing({ ...base, ...terms })

// @ts-expect-error a limit is credits
billing({ ...base, maxPerDay: '5' })
// @ts-expect-error a limit is credits
billing({ ...base, maxCeiling: () => '5' })
// @ts-expect-error none is undefined
billing({ ...base, maxPerDay: async () => null })
// @ts-expect-error budgets depend on who calls
billing({ ...base, budgets: [budget] })
// @ts-expect-error a list, not one
billing({ ...base, budgets: () => budget })
// @ts-expect-error none is an empty list
billing({ ...base, budgets: () => undefined })
// @ts-expect-error a budget has a window
billing({ ...base, budgets: () => [{ scope: 'a', limit: 1 }] })
// @ts-expect-error one of three windows
billing({ ...base, budgets: () => [{ scope: 'a', limit: 1, window: 'week' }] })
// @ts-expect-error an allowance comes by the day or the month
billing({ ...base, allowance: { credits: 1, every: 'year' } })
// @ts-expect-error it comes again
billing({ ...base, allowance: { credits: 1 } })
// @ts-expect-error below or used
billing({ ...base, onThreshold: [{ above: 5 }] })
// @ts-expect-error credits that were bought
billing({ ...base, autoTopUp: { below: 5, topUp: async () => 'paid' } })
// @ts-expect-error a version is text
billing({ ...base, priceBookVersion: 3 })

same<WorkerOperations>()(operations({ store, onThreshold: [{ below: 5 }], autoTopUp: terms.autoTopUp }))
same<Promise<void>>()(operations({ store }).close())
// @ts-expect-error a worker has no requests
operations({ store, budgets: () => [budget] })

const [entry] = await bill.entries('ada')
notAny(entry)
if (entry) {
  same<string | undefined>()(entry.requestId)
  same<string | undefined>()(entry.priceBookVersion)
  same<string | undefined>()(entry.source)
  same<number | undefined>()(entry.expiresAt)
  same<number | undefined>()(entry.items?.[0]?.credits)
}
