import { whoPays } from './account.js'
import type { Call } from '../call/call.js'
import { limitsOf, type Limits } from './limits.js'
import { priceContext } from '../prices/context.js'
import type { Settings } from '../options.js'
import { priceOf } from '../prices/pricing.js'
import type { Route } from '../prices/route.js'
import { parse } from '../prices/schema.js'
import { ok, refuse, type Step } from './step.js'

/** Who pays, and the most it can cost. */
export interface Quote {
  readonly account: string
  /** As the route's schema returned it; `undefined` for a route without one. */
  readonly body: unknown
  /** Micro-credits. */
  readonly ceiling: number
  readonly limits: Limits
}

/** Prices calls: identify, read, price. Nothing is held. */
export class Quoter {
  constructor(private readonly settings: Settings<never>) {}

  async quote(key: string, route: Route, call: Call): Promise<Step<Quote>> {
    const who = await whoPays(this.settings, call)
    if (who.kind === 'nobody') return refuse({ kind: 'unauthenticated', reason: who.reason })
    const { account } = who
    const body = await this.#readBody(key, route, call)
    if (body.kind === 'refused') return body
    const price = priceOf(route, priceContext(call, account, body.value))
    if (price.kind === 'broken') return this.#broken(key, price.reason, price.cause)
    const read = await limitsOf(this.settings, call.request)
    if (read.kind === 'broken') return this.#broken(key, read.reason, read.cause)
    return ok({ account, body: body.value, ceiling: price.micro, limits: read.limits })
  }

  /** Whether the plan allows one call to cost this much. */
  withinPlan({ ceiling, limits: { maxCeiling } }: Quote): Step<void> {
    return ceiling > maxCeiling ? refuse({ kind: 'ceiling_too_high', required: ceiling, most: maxCeiling }) : ok(undefined)
  }

  async #readBody(key: string, route: Route, call: Call): Promise<Step<unknown>> {
    if (!route.body) return ok(undefined)
    const read = await call.body()
    if (read.kind === 'unreadable') return refuse({ kind: 'invalid_request', issues: [{ field: '', message: read.reason }] })
    const parsed = await parse(route.body, read.value)
    switch (parsed.kind) {
      case 'valid': return ok(parsed.value)
      case 'invalid': return refuse({ kind: 'invalid_request', issues: parsed.issues })
      case 'threw': return this.#broken(key, 'the body schema threw', parsed.cause)
    }
  }

  #broken(key: string, reason: string, cause: unknown): Step<never> {
    this.settings.logger.error(`farebox: ${key} has no valid price: ${reason}`, cause)
    return refuse({ kind: 'price_invalid', route: key })
  }
}
