import type { Billing, BillingOptions, RouteReport } from '@farebox/core'
import { createEngine, warnOf } from '@farebox/core/adapter'
import type { Context, Middleware } from 'koa'
import { watch } from './routing/gate.js'
import { callOf, passageOf, refuse, send, startPassage, type Passage } from './passage.js'
import { settle, settleThrown } from './response/settle.js'
import { registered, type App } from './routing/routes.js'

/** What `billing` returns: the middleware, and what a program does with billing besides mounting it. */
export interface KoaBilling extends Middleware, Billing {
  /**
   * Reports what the app sells. Billing makes the same report at its first request and logs what a builder has
   * to look at; call it when every route is registered to have it earlier.
   *
   * @example console.log(reportText(bill.routes(app)))
   */
  routes(app: App): RouteReport
}

/**
 * Makes routes of a Koa app paid. Mount it before the routers it prices, and inside of what makes responses of
 * errors or of what `next()` returns: a call is settled on the response that billing sees.
 *
 * @throws FareboxError `OPTIONS_INVALID`, listing every fault
 * @example
 * app.use(billing({
 *   account: (ctx) => ctx.get('x-api-key'),
 *   store: memoryStore(),
 *   prices: { 'POST /v1/render': { product: 'render', price: 5 } },
 * }))
 */
export function billing<Bodies, Responses>(options: BillingOptions<Context, Bodies, Responses>): KoaBilling {
  const engine = createEngine<Context, Bodies, Responses>(options)
  const { logger } = engine.settings
  const report = (app: App) => engine.report(registered(app, middleware))
  const warnFirst = once((app: App) => warnOf(report(app), logger))

  const middleware: Middleware = async function billing(ctx, next) {
    warnFirst(ctx.app)
    const before = passageOf(ctx)
    if (before) {
      engine.meetAgain(before.engine)
      return next()
    }
    const endpoint = engine.endpoints.find(ctx.method, ctx.path)
    if (endpoint) return send(ctx, await endpoint.answer(callOf(ctx, {})))

    const missed = watch(ctx)
    const passage = startPassage(ctx, engine)
    try {
      for (const { pattern, params } of missed) {
        const listed = engine.prices.find(passage.method, pattern)
        if (listed && await refuse(ctx, passage, listed, { params })) return undefined
      }
      const result: unknown = await passage.exchange.run(() => next())
      await settle(ctx, passage)
      await estimate(ctx, passage)
      return result
    } catch (error) {
      await settleThrown(ctx, passage)
      if (!await estimate(ctx, passage)) throw error
      return undefined
    } finally {
      passage.left = true
    }
  }

  return Object.assign(middleware, engine.billing, { routes: report })
}

/**
 * Answers a request for an estimate that reached no route of the app's own, whatever else was made of it. By now it
 * has been through the middleware that a call goes through: its body is parsed and who asks is known.
 */
async function estimate(ctx: Context, passage: Passage): Promise<boolean> {
  const { engine, estimate: wanted } = passage
  if (!wanted || wanted === 'own' || ctx.headerSent) return false
  send(ctx, await engine.estimates.answer(wanted.key, wanted.terms, callOf(ctx, passage, wanted.params)))
  return true
}

function once<T>(act: (value: T) => void): (value: T) => void {
  let done = false
  return (value) => {
    if (!done) act(value)
    done = true
  }
}
