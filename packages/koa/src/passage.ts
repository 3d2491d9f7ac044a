import type { Answer, BodyRead, Call, Engine, Exchange, ListedRoute } from '@farebox/core/adapter'
import type { Context, Next } from 'koa'
import { readBody } from './body.js'
import { Reply } from './response/reply.js'
import { settle } from './response/settle.js'
import type { Estimable } from './routing/estimable.js'

/** A request on its way through billing. */
export interface Passage {
  readonly engine: Engine<Context>
  readonly exchange: Exchange
  /** The method that the router matched: a middleware between it and the handler may change the context's. */
  method: string
  /** There is one from the first route on that is to be paid. */
  reply?: Reply
  /** What a router that has dispatched says of a request for an estimate. */
  estimate?: Estimable
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
  // Billing answers it: a route that takes any word must not run for it.
  if (passage.estimate && passage.estimate !== 'own') return undefined
  const responded = passage.reply?.responded ?? false
  if (await refuse(ctx, passage, listed, { responded })) return undefined
  try {
    return await passage.exchange.run(() => next())
  } catch (error) {
    if (listed && !responded) passage.exchange.threw()
    throw error
  } finally {
    // A middleware did not wait for what is behind it.
    if (passage.left) await settle(ctx, passage)
  }
}

/** Enters a route; answers, and says so, when it may not run. */
export async function refuse(
  ctx: Context, passage: Passage, listed: ListedRoute | undefined,
  { responded = false, params = ctx['params'] as Call['params'] }: { readonly responded?: boolean; readonly params?: Call['params'] },
): Promise<boolean> {
  const answer = await passage.exchange.enter(listed, callOf(ctx, passage, params), responded)
  if (answer) send(ctx, answer)
  else if (listed && !responded && passage.exchange.billed) (passage.reply ??= new Reply(ctx, passage.exchange)).enter()
  return answer !== undefined
}

export function send(ctx: Context, { status, headers, body }: Answer): void {
  // Whoever wanted to write the response itself does not come to it.
  ctx.respond = true
  ctx.status = status
  ctx.body = typeof body === 'string' ? body : Buffer.from(body)
  ctx.set(headers)
}

export function callOf(ctx: Context, passage: Pick<Passage, 'body'>, params: Call['params'] = {}): Call {
  return {
    url: ctx.url,
    params,
    query: () => ctx.query,
    // An empty header is there, whatever Koa makes of it.
    header: (name) => ctx.get(name) || (ctx.headers[name.toLowerCase()] as string | undefined),
    request: ctx,
    body: () => (passage.body ??= readBody(ctx)),
  }
}
