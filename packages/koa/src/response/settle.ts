import { finished } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { carriesJson, type Exchange } from '@farebox/core/adapter'
import type { Context } from 'koa'
import { isNodeStream, jsonOf, putMetering, replaceStream, streamOf, wholeOf } from './body.js'
import { hasBody, headersOf, typeOf } from './headers.js'
import type { Reply } from './reply.js'
import { Tapped, type Source } from './tapped.js'

/** A call whose response is there. */
interface Settling {
  readonly exchange: Exchange
  readonly reply?: Reply
}

/** Settles a call whose handlers have returned: before its response leaves, or at the end of one that streams or is written past Koa. */
export async function settle(ctx: Context, { exchange, reply }: Settling): Promise<void> {
  // Koa would answer a request that has been answered.
  await reply?.ended
  if (!exchange.billed || !reply) return
  // A middleware had answered before the route was reached.
  if (ctx.res.writableEnded) return void await exchange.close({ status: ctx.status })
  if (ctx.respond === false || reply.begun) return settleAtEnd(ctx, reply)
  const stream = streamOf(ctx.body)
  if (exchange.holds({ status: ctx.status, ...typeOf(ctx.res), whole: !stream })) return settleHeld(ctx, { exchange, reply }, stream)
  reply.begin(false)
  if (stream && exchange.billed && hasBody(ctx)) replaceStream(ctx, new Tapped(stream, exchange, reply))
}

/** Settles a call that ended in an error; whoever answers it, the answer tells what it cost. */
export async function settleThrown({ status }: Context, { exchange, reply }: Settling): Promise<void> {
  if (!exchange.billed) return
  exchange.threw()
  const { headers } = await exchange.close({ status })
  reply?.setLate(headers)
}

async function settleHeld(ctx: Context, settling: Settling, stream: Source | undefined): Promise<void> {
  const { exchange } = settling
  const isJson = carriesJson(typeOf(ctx.res))
  let json: string | undefined
  try {
    // What a stream does while it is read is a part of its call.
    if (stream && isJson) ctx.body = await exchange.run(() => buffer(stream))
    json = stream && !isJson ? undefined : jsonOf(ctx)
  } catch {
    // Koa meets the same error when it sends the body, and answers it. A caller who has left is no failure.
    return settling.reply?.callerLeft ? void await exchange.close({ status: ctx.status }) : settleThrown(ctx, settling)
  }
  const whole = () => ({ headers: headersOf(ctx.res), body: wholeOf(ctx) })
  const closing = await exchange.close({ status: ctx.status, json, ...((!stream || isJson) && { whole }) })
  if (ctx.headerSent) return
  if (closing.json !== undefined) putMetering(ctx, closing.json)
  ctx.set(closing.headers)
}

/** A response that is written past Koa, or had begun before Koa was given its body, settles itself at its end. */
function settleAtEnd({ body }: Context, reply: Reply): void {
  // Where the head has left, Koa 2 says nothing more of a source that fails.
  if (isNodeStream(body)) finished(body, { writable: false }, (error) => error && reply.broke())
}
