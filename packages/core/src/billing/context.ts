import type { Call, OpenCall } from './call.js'
import { toCredits } from '../credits.js'
import type { Outcome } from './outcome.js'
import type { ChargeContext, PriceContext } from './route.js'

export function priceContext(call: Call, account: string, body: unknown): PriceContext {
  return {
    body,
    account,
    params: call.params,
    get query() { return readQuery(call.url) },
    header: (name) => call.header(name),
  }
}

export function chargeContext(open: OpenCall, outcome: Extract<Outcome, { kind: 'succeeded' }>): ChargeContext {
  const { account, call } = open
  let parsed: { readonly body: unknown } | undefined
  return {
    body: open.body,
    account,
    params: call.params,
    get query() { return readQuery(call.url) },
    header: (name) => call.header(name),
    response: {
      status: outcome.status,
      get body() { return (parsed ??= { body: outcome.body() }).body },
    },
    ceiling: toCredits(open.ceiling),
  }
}

function readQuery(url: string): PriceContext['query'] {
  const start = url.indexOf('?')
  const query: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>
  if (start < 0) return query
  const search = new URLSearchParams(url.slice(start + 1).replace(/#.*$/s, ''))
  for (const name of new Set(search.keys())) {
    const values = search.getAll(name)
    query[name] = values.length === 1 ? values[0]! : values
  }
  return query
}
