/** What a framework's adapter needs of core. Adapters translate; every decision is behind these names. */
export { createEngine, type Billing, type Engine } from './engine.js'
export { MAX_BODY_BYTES, type BodyRead, type Call } from './billing/call.js'
export { carriesJson, type Closing, type Exchange, type Head, type Leaving } from './http/exchange.js'
export { parseRoute, type BillingOptions } from './billing/options.js'
export type { ListedRoute, PriceList } from './billing/price-list.js'
export { warnOf, type Registered, type RegisteredRoute } from './billing/report.js'
export type { Route } from './billing/route.js'
export type { Answer } from './http/answer.js'
