import type { Answer, Exchange, ListedRoute, PriceList } from '@farebox/core/adapter'
import type { Context } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { readBody } from '../body.js'
import type { Match } from './match.js'

/** One billing middleware at work on a request. */
export interface Tab {
  readonly prices: PriceList
  readonly exchange: Exchange
  account(): unknown
}

/** A request on its way through the app. */
export interface Dispatch {
  readonly match: Match
  /** Usually one; the last is the innermost. */
  readonly tabs: Tab[]
  /** Whether any gate was passed. */
  gated: boolean
  /** The listed route that a gate entered last. */
  entered?: ListedRoute
}

/** By the request's context: a request that is dispatched again (`methodOverride`, a mounted app) has its own. */
export const dispatches = new WeakMap<Context, Dispatch>()

/**
 * Enters a route for every billing on this request. One is the payer's; for the others the route is free, which
 * gives back what they held for an earlier one.
 *
 * @returns the response to give instead of running the handlers
 */
export async function enter(c: Context, { tabs }: Dispatch, listed: ListedRoute | undefined, payer?: Tab): Promise<Response | undefined> {
  // What a priced handler passed on to is paid, wherever it is not listed.
  if (!listed && tabs.some(({ exchange }) => exchange.billed)) return undefined
  for (const tab of tabs) {
    const terms = tab === payer ? listed : listed && { ...listed, terms: 'free' as const }
    const answer = await tab.exchange.enter(terms, callOf(c, () => tab.account()), c.finalized)
    if (answer) return respond(c, answer)
  }
  return undefined
}

export function callOf(c: Context, account: () => unknown) {
  return {
    url: c.req.url,
    // Read now: Hono resolves them by the handler that is reached, and a later one has others.
    params: c.req.param() as Readonly<Record<string, string>>,
    query: () => Object.fromEntries(Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
    header: (name: string) => c.req.header(name),
    account,
    body: () => readBody(c),
  }
}

export function respond(c: Context, { status, headers, body }: Answer): Response {
  return c.newResponse(body, status as StatusCode, { ...headers })
}
