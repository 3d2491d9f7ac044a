import type { Call, OpenCall } from '../call/call.js'
import { toCredits } from '../../credits.js'
import type { Succeeded } from '../call/outcome.js'
import type { ChargeContext, PriceContext } from './route.js'

export function priceContext(call: Call, account: string, body: unknown): PriceContext {
  return {
    body,
    account,
    get params() { return call.params },
    get query() { return call.query() },
    header: (name) => call.header(name),
  }
}

export function chargeContext(open: OpenCall, outcome: Succeeded): ChargeContext {
  const { account, call } = open
  let parsed: { readonly body: unknown } | undefined
  return {
    body: open.body,
    account,
    get params() { return call.params },
    get query() { return call.query() },
    header: (name) => call.header(name),
    response: {
      status: outcome.status,
      get body() { return (parsed ??= { body: outcome.body() }).body },
    },
    ceiling: toCredits(open.ceiling),
    counts: open.meter.counts,
    get usage() { return outcome.usage() },
  }
}
