export { fareboxFetch, type Credits, type FareboxOptions, type Outcome } from './fetch.js'
export { estimate, type Estimate, type Estimated } from './estimate.js'
export type { Budget, Refusal } from './refusal.js'
export type { Refused, SendOptions } from './send.js'
