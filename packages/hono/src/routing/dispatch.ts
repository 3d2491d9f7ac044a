import type { Answer, Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import type { Context } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { readBody } from '../body.js'
import type { Match } from './match.js'

/** A request on its way through the app. */
export interface Dispatch {
  readonly engine: Engine<never>
  readonly match: Match
  readonly exchange: Exchange
  account(): unknown
  /** Whether any gate was passed. */
  gated: boolean
  /** The listed route that a gate entered last. */
  entered?: ListedRoute
}

/** By the request's context: a request that is dispatched again (`methodOverride`, a mounted app) has its own. */
export const dispatches = new WeakMap<Context, Dispatch>()

/** Enters a route. Resolves with the response to give instead of running the handlers. */
export async function enter(c: Context, { exchange, account }: Dispatch, listed: ListedRoute | undefined): Promise<Response | undefined> {
  const answer = await exchange.enter(listed, callOf(c, account), c.finalized)
  return answer && respond(c, answer)
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
