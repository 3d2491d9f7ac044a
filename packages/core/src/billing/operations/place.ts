import type { BudgetKey } from '../../ledger/state.js'
import type { OpenCall } from '../call/call.js'
import type { EntryDetails } from '../settlement/entry-details.js'

/** Where an operation is kept and what it needs to be finished, for a worker that knows its id only. */
export interface Place {
  readonly account: string
  readonly reservation: string
  /** The digest of its call's idempotency key, `''` for none. */
  readonly key: string
  /** The key of its route. */
  readonly route: string
  /** Credits a unit, where it is charged by the unit. */
  readonly rates: Readonly<Record<string, number>>
  readonly budgets: readonly BudgetKey[]
  readonly details: EntryDetails
}

export function placeOf({ account, reservation, idempotency, key, route, budgets, details }: OpenCall): string {
  return JSON.stringify({ account, reservation, key: idempotency.key, route: key, rates: route.rates ?? {}, budgets, details } satisfies Place)
}

export function readPlace(text: string): Place {
  return JSON.parse(text) as Place
}
