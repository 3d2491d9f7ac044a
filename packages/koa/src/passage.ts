import type { Answer, BodyRead, Call, Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import type { Context, Next } from 'koa'
import { readBody } from './body.js'
import { settle } from './response.js'

/** A request on its way through billing. */
export interface Passage {
  readonly engine: Engine<Context>
  readonly exchange: Exchange
  /** The method that the router matched: a middleware between it and the handler may change the context's. */
  method: string
  /** The response as it was when the route to be paid was entered. */
  entered?: readonly unknown[]
  /** The body is read once, however many routes want to know it. */
  body?: Promise<BodyRead>
  /** Billing has settled what there was to settle. */
  left?: boolean
}

/** Kept on the context, from which a middleware may make another one for what is behind it. */
const key = Symbol('farebox')

export function passageOf(ctx: Context): Passage | undefined {
  return ctx[key] as Passage | undefined
}

export function startPassage(ctx: Context, engine: Engine<Context>): Passage {
  const passage: Passage = { engine, exchange: engine.exchange(), method: methodOf(ctx) }
  ctx[key] = passage
  return passage
}

/** In capitals, as a router compares it: a method override may have put anything there. */
export function methodOf(ctx: Context): string {
  return ctx.method.toUpperCase()
}

/** Enters a route, and runs what is behind it unless billing refuses. */
export async function pass(ctx: Context, passage: Passage, listed: ListedRoute | undefined, next: Next): Promise<unknown> {
  const responded = hasResponded(ctx, passage)
  if (await refuse(ctx, passage, listed, { responded })) return undefined
  try {
    return await next()
  } catch (error) {
    if (listed && !responded) passage.exchange.threw()
    throw error
  } finally {
    // A middleware did not wait for what is behind it.
    if (passage.left) await settle(ctx, passage.exchange)
  }
}

/** Enters a route; answers, and says so, when it may not run. */
export async function refuse(
  ctx: Context, passage: Passage, listed: ListedRoute | undefined,
  { responded = false, params = ctx['params'] as Call['params'] }: { readonly responded?: boolean; readonly params?: Call['params'] },
): Promise<boolean> {
  const answer = await passage.exchange.enter(listed, callOf(ctx, passage, params), responded)
  if (answer) send(ctx, answer)
  else if (listed && !responded) passage.entered = responseOf(ctx)
  return answer !== undefined
}

export function send(ctx: Context, { status, headers, body }: Answer): void {
  // Whoever wanted to write the response itself does not come to it.
  ctx.respond = true
  ctx.status = status
  ctx.set(headers)
  ctx.body = body
}

export function callOf(ctx: Context, passage: Pick<Passage, 'engine' | 'body'>, params: Call['params'] = {}): Call {
  return {
    url: ctx.url,
    params,
    query: () => ctx.query,
    header: (name) => ctx.get(name) || undefined,
    account: () => passage.engine.settings.account(ctx),
    body: () => (passage.body ??= readBody(ctx)),
  }
}

/** Whether the route that was entered last has made its response and passes the request on all the same. */
function hasResponded(ctx: Context, { exchange, entered }: Passage): boolean {
  return exchange.billed && responseOf(ctx).some((now, i) => now !== entered?.[i])
}

function responseOf({ body, status, respond, headerSent }: Context): readonly unknown[] {
  return [body, status, respond, headerSent]
}
