import type { Reserve } from '../ledger/commands.js'
import { identify } from './account.js'
import type { Call, OpenCall } from './call.js'
import { priceContext } from './context.js'
import { toMicro } from '../credits.js'
import { withDeadline } from './deadline.js'
import type { Settings } from './options.js'
import { priceOf } from './pricing.js'
import type { Refused } from './refused.js'
import type { Route } from './route.js'
import { parse } from './schema.js'

export type Admission =
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'admitted'; readonly open: OpenCall }

type Step<T> = { readonly kind: 'ok'; readonly value: T } | { readonly kind: 'refused'; readonly refused: Refused }

const ok = <T>(value: T): Step<T> => ({ kind: 'ok', value })
const refuse = (refused: Refused) => ({ kind: 'refused', refused }) as const

/** Decides whether a call may run: identify, read, price, reserve. Nothing is held unless it may. */
export interface Admitter {
  admit(key: string, route: Route, call: Call): Promise<Admission>
}

export function admitter(settings: Settings<never>, nextId: () => string): Admitter {
  const { store, storeTimeout, logger } = settings
  const allowance = toMicro(settings.allowance) ?? 0
  const maxCeiling = settings.maxCeiling === undefined ? undefined : toMicro(settings.maxCeiling)

  async function readBody(route: Route, call: Call): Promise<Step<unknown>> {
    if (!route.body) return ok(undefined)
    const read = await call.body()
    if (read.kind === 'unreadable') return refuse({ kind: 'invalid_request', issues: [{ field: '', message: read.reason }] })
    const parsed = await parse(route.body, read.value)
    return parsed.kind === 'valid' ? ok(parsed.value) : refuse({ kind: 'invalid_request', issues: parsed.issues })
  }

  function price(key: string, route: Route, call: Call, account: string, body: unknown): Step<number> {
    const price = priceOf(route, priceContext(call, account, body))
    if (price.kind === 'broken') {
      logger.error(`farebox: ${key} has no valid price: ${price.reason}`, price.cause)
      return refuse({ kind: 'price_invalid', route: key })
    }
    if (maxCeiling !== undefined && price.micro > maxCeiling) return refuse({ kind: 'ceiling_too_high', required: price.micro, most: maxCeiling })
    return ok(price.micro)
  }

  async function reserve(command: Reserve) {
    const sent = store.send(command)
    try {
      return await withDeadline(sent, storeTimeout)
    } catch (error) {
      logger.error(`farebox: could not reserve: ${(error as Error).message}`, error)
      // It may still arrive: closing the id gives the credits back at once, else they come back at the deadline.
      void store.send({ kind: 'release', account: command.account, reservation: command.reservation }).catch(() => {})
      return undefined
    }
  }

  return {
    async admit(key, route, call) {
      const who = identify(await call.account())
      if (who.kind === 'nobody') return refuse({ kind: 'unauthenticated', reason: who.reason })
      const { account } = who
      const body = await readBody(route, call)
      if (body.kind === 'refused') return body
      const priced = price(key, route, call, account, body.value)
      if (priced.kind === 'refused') return priced
      const ceiling = priced.value

      const reservation = nextId()
      const reply = await reserve({ kind: 'reserve', account, reservation, ceiling, allowance, ttlMs: settings.reservationTtl })
      if (reply === undefined || reply.kind === 'conflict') return refuse({ kind: 'unavailable' })
      if (reply.kind === 'insufficient') return refuse(reply)
      const { reservedAt } = reply
      return { kind: 'admitted', open: { route, key, account, reservation, ceiling, reservedAt, startedAt: performance.now(), call, body: body.value } }
    },
  }
}
