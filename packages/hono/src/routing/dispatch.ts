import type { Answer, Call, Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import type { Context } from 'hono'
import type { StatusCode } from 'hono/utils/http-status'
import { attend } from '../attend.js'
import { readBody } from '../body.js'
import type { Match } from './match.js'

/** A request on its way through the app. */
export interface Dispatch {
  readonly engine: Engine<never>
  readonly match: Match
  readonly exchange: Exchange
  /** Whether any gate was passed. */
  gated: boolean
  /** The listed route that a gate entered last. */
  entered?: ListedRoute
  /** Whether a stream has begun to answer. */
  begun: boolean
  /** Whether its client has left. */
  gone: boolean
  /** To be called when the handlers are through; there from the first call on that was admitted. */
  through?: () => void
}

/** By the request's context: a request that is dispatched again (`methodOverride`, a mounted app) has its own. */
export const dispatches = new WeakMap<Context, Dispatch>()

/** Enters a route. Resolves with the response to give instead of running the handlers. */
export async function enter(c: Context, dispatch: Dispatch, listed: ListedRoute | undefined): Promise<Response | undefined> {
  const { exchange } = dispatch
  const answer = await exchange.enter(listed, callOf(c), c.finalized)
  if (answer) return respond(c, answer)
  if (exchange.billed) attend(c, dispatch)
  return undefined
}

export function callOf(c: Context): Call {
  return {
    url: c.req.url,
    // Read now: Hono resolves them by the handler that is reached, and a later one has others.
    params: c.req.param() as Readonly<Record<string, string>>,
    query: () => Object.fromEntries(Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values])),
    header: (name: string) => c.req.header(name),
    request: c,
    body: () => readBody(c),
  }
}

export function respond(c: Context, { status, headers, body }: Answer): Response {
  // A response that has no body takes none, not even an empty one.
  const response = c.newResponse(body.length > 0 ? body : null, status as StatusCode, { ...headers })
  // Hono would lay what a middleware has set before over the answer's own headers.
  c.res = undefined
  c.res = response
  return response
}
