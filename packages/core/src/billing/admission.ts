import { toMicro } from '../credits.js'
import type { Replies } from '../ledger/commands.js'
import { identify } from './account.js'
import type { Call, OpenCall } from './call.js'
import { priceContext } from './context.js'
import { withDeadline } from './deadline.js'
import type { Settings } from './options.js'
import { priceOf } from './pricing.js'
import type { Refused } from './refused.js'
import { reservationIds } from './reservation-id.js'
import type { Route } from './route.js'
import { parse } from './schema.js'

export type Admission =
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'admitted'; readonly open: OpenCall }

/** A step towards a reservation: what it found, or why the call may not run. */
type Step<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused'; readonly refused: Refused }

const ok = <T>(value: T): Step<T> => ({ kind: 'ok', value })
const refuse = (refused: Refused) => ({ kind: 'refused', refused }) as const

/** Decides whether a call may run: identify, read, price, reserve. Nothing is held unless it may. */
export class Admitter {
  readonly #allowance: number
  readonly #maxCeiling: number
  readonly #nextId = reservationIds()

  constructor(private readonly settings: Settings<never>) {
    this.#allowance = toMicro(settings.allowance) ?? 0
    this.#maxCeiling = toMicro(settings.maxCeiling) ?? Infinity
  }

  async admit(key: string, route: Route, call: Call): Promise<Admission> {
    const who = identify(await call.account())
    if (who.kind === 'nobody') return refuse({ kind: 'unauthenticated', reason: who.reason })
    const { account } = who
    const body = await readBody(route, call)
    if (body.kind === 'refused') return body
    const ceiling = this.#price(key, route, call, account, body.value)
    if (ceiling.kind === 'refused') return ceiling
    const reservation = this.#nextId()
    const reply = await this.#reserve(account, reservation, ceiling.value)
    if (reply.kind === 'refused') return reply
    const { reservedAt } = reply.value
    const startedAt = performance.now()
    return { kind: 'admitted', open: { route, key, account, reservation, ceiling: ceiling.value, reservedAt, startedAt, call, body: body.value } }
  }

  #price(key: string, route: Route, call: Call, account: string, body: unknown): Step<number> {
    const price = priceOf(route, priceContext(call, account, body))
    if (price.kind === 'broken') {
      this.settings.logger.error(`farebox: ${key} has no valid price: ${price.reason}`, price.cause)
      return refuse({ kind: 'price_invalid', route: key })
    }
    if (price.micro > this.#maxCeiling) return refuse({ kind: 'ceiling_too_high', required: price.micro, most: this.#maxCeiling })
    return ok(price.micro)
  }

  /** Fails fast and closed: a store that does not answer lets nobody in. */
  async #reserve(account: string, reservation: string, ceiling: number): Promise<Step<Extract<Replies['reserve'], { kind: 'reserved' }>>> {
    const { store, storeTimeout, reservationTtl, logger } = this.settings
    try {
      const sent = store.send({ kind: 'reserve', account, reservation, ceiling, allowance: this.#allowance, ttlMs: reservationTtl, key: '', payload: '' })
      const reply = await withDeadline(sent, storeTimeout)
      if (reply.kind === 'reserved') return ok(reply)
      return refuse(reply.kind === 'insufficient' ? reply : { kind: 'unavailable' })
    } catch (error) {
      logger.error(`farebox: could not reserve: ${(error as Error).message}`, error)
      // It may still arrive: closing the id gives the credits back at once, else they come back at the deadline.
      void store.send({ kind: 'release', account, reservation, key: '' }).catch(() => {})
      return refuse({ kind: 'unavailable' })
    }
  }
}

async function readBody(route: Route, call: Call): Promise<Step<unknown>> {
  if (!route.body) return ok(undefined)
  const read = await call.body()
  if (read.kind === 'unreadable') return refuse({ kind: 'invalid_request', issues: [{ field: '', message: read.reason }] })
  const parsed = await parse(route.body, read.value)
  return parsed.kind === 'valid' ? ok(parsed.value) : refuse({ kind: 'invalid_request', issues: parsed.issues })
}
