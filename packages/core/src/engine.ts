import type { Replies } from './ledger/commands.js'
import { endpoints, type Endpoints } from './http/endpoints.js'
import { identify } from './billing/account.js'
import { admitter } from './billing/admission.js'
import { toCredits, toMicro, MAX_CREDITS } from './credits.js'
import { FareboxError } from './errors.js'
import { Exchange } from './http/exchange.js'
import { parseOptions, type BillingOptions, type Settings } from './billing/options.js'
import { Postings } from './billing/postings.js'
import { PriceList } from './billing/price-list.js'
import { Renewal } from './billing/renewal.js'
import { reportRoutes, type Registered, type RouteReport } from './billing/report.js'
import { reservationIds } from './billing/reservation-id.js'
import { settler } from './billing/settlement.js'

/** What a program does with billing besides mounting it. Every framework's `billing()` has it. */
export interface Billing {
  /**
   * Adds credits to an account: a top-up, a promotion. Idempotent by `id`: the same id and amount again
   * answers `granted` with `replayed`, another amount `grant_conflict`; a balance above 2^53 − 1 micro-credits
   * is `grant_overflow`. Amounts in credits.
   *
   * @throws FareboxError `ARGUMENT_INVALID` or `STORE_UNAVAILABLE`
   * @example await bill.grant('ada', 500, { id: 'evt_1', reason: 'top-up' })
   */
  grant(account: string, credits: number, options: { readonly id: string; readonly reason: string }): Promise<GrantOutcome>
  /** Posts what still waits for the store and closes the store. Call it when the server has stopped. */
  close(): Promise<void>
}

export interface GrantOutcome {
  readonly kind: Replies['grant']['kind']
  /** Whether an earlier grant with this id had done it already. */
  readonly replayed: boolean
  readonly balance: number
  readonly reserved: number
  readonly available: number
}

/** Billing as adapters hold it. */
export interface Engine<Request> extends Billing {
  readonly settings: Settings<Request>
  readonly prices: PriceList
  readonly endpoints: Endpoints
  /** One for each request. */
  exchange(): Exchange
  /** Holds the price book against what an adapter found in the app. */
  report(registered: Registered): RouteReport
}

/**
 * Sets billing up from its options, for an adapter to mount.
 *
 * @throws FareboxError `OPTIONS_INVALID`, listing every fault
 */
export function createEngine<Request, Bodies, Responses>(options: BillingOptions<Request, Bodies, Responses>): Engine<Request> {
  const settings = parseOptions<Request>(options)
  const { store, storeTimeout, reservationTtl, logger } = settings
  if (!store.durable && inProduction()) {
    logger.warn(`farebox: the ${store.name} store forgets every balance when this process ends; use redisStore(url) in production`)
  }
  const prices = new PriceList(settings.prices)
  const renewal = new Renewal(store, reservationTtl, logger)
  const postings = new Postings(store, storeTimeout, renewal, logger)
  const admit = admitter(settings, reservationIds())
  const settle = settler(settings, postings)
  return {
    settings,
    prices,
    endpoints: endpoints(settings),
    report: (registered) => reportRoutes(prices, registered),
    exchange: () => new Exchange(settings, admit, settle, renewal),
    grant: (account, credits, { id, reason }) => grant(settings, account, credits, id, reason),
    async close() {
      await postings.drain()
      await store.close()
    },
  }
}

async function grant({ store }: Settings<never>, account: string, credits: number, id: string, reason: string): Promise<GrantOutcome> {
  const who = identify(account)
  if (who.kind === 'nobody') throw new FareboxError('ARGUMENT_INVALID', who.reason)
  const amount = toMicro(credits)
  if (!amount) throw new FareboxError('ARGUMENT_INVALID', `credits: expected more than 0 and at most ${MAX_CREDITS}, got ${String(credits)}`)
  if (typeof id !== 'string' || id === '') throw new FareboxError('ARGUMENT_INVALID', 'id: expected a string that is the same when this grant is sent again')
  if (typeof reason !== 'string') throw new FareboxError('ARGUMENT_INVALID', `reason: expected a string, got ${typeof reason}`)
  const reply = await send()
  const { kind, balance, reserved, available } = reply
  const replayed = kind === 'granted' && reply.replayed
  return { kind, replayed, balance: toCredits(balance), reserved: toCredits(reserved), available: toCredits(available) }

  async function send() {
    try {
      return await store.send({ kind: 'grant', account, grant: id, amount: amount!, reason })
    } catch (cause) {
      throw new FareboxError('STORE_UNAVAILABLE', `grant ${id}: the store failed; sending it again is safe`, { cause })
    }
  }
}

/** Without importing Node: an edge runtime has no `process`. */
function inProduction(): boolean {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return process?.env?.['NODE_ENV'] === 'production'
}
