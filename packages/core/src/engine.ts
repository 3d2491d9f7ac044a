import { Admitter } from './billing/admission/admission.js'
import { accountsOf, type Accounts } from './billing/accounts/accounts.js'
import { Emitter } from './billing/events.js'
import { Learning } from './billing/learning/learning.js'
import { OperationsDesk } from './billing/operations/operations-desk.js'
import type { Operations } from './billing/operations/operations.js'
import type { BillingOptions, Settings } from './billing/options.js'
import { parseOptions } from './billing/parse-options.js'
import { Delivery } from './billing/settlement/delivery.js'
import { Postings } from './billing/settlement/postings.js'
import { PriceList } from './billing/prices/price-list.js'
import { RefusalCount } from './billing/admission/refusal-count.js'
import { Unreserved } from './billing/admission/unreserved.js'
import { Renewal } from './billing/settlement/renewal.js'
import { reportRoutes, type Registered, type RouteReport } from './billing/report.js'
import { Settler } from './billing/settlement/settlement.js'
import { Watcher } from './billing/thresholds/watcher.js'
import { toMicro } from './credits.js'
import { FareboxError } from './errors.js'
import { startExport } from './journal/export-journal.js'
import { endpoints, type Endpoints } from './http/endpoints.js'
import { Estimates } from './http/estimate.js'
import { Exchange, type Desk } from './http/exchange.js'

/** What a program does with billing besides mounting it. Every framework's `billing()` has it. */
export interface Billing extends Accounts {
  /** Ends what calls that answered 202 have begun. */
  readonly operations: Operations
  /** How often this process has refused calls, by code; with `enforce: false`, would have refused. */
  refusals(): Readonly<Record<string, number>>
  /** Posts what still waits for the store, or leaves it in the spool, exports what the journal's sink takes of it, and closes the store. Call it when the server has stopped. */
  close(): Promise<void>
}

/** Billing as adapters hold it. */
export interface Engine<Request> {
  /** What an adapter gives to the program that mounts it. */
  readonly billing: Billing
  readonly settings: Settings<Request>
  readonly prices: PriceList
  readonly endpoints: Endpoints
  readonly estimates: Estimates
  /** One for each request. */
  exchange(): Exchange
  /**
   * Called where a request meets this billing that has met one `before`. Its own mounted a second time does
   * nothing but warn, once; with another one neither could tell what is paid already, so nothing runs.
   *
   * @throws FareboxError `BILLING_MOUNTED_TWICE`
   */
  meetAgain(before: Engine<never>): void
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
  const events = new Emitter(settings.on, logger)
  const renewal = new Renewal(store, reservationTtl, events, logger)
  const watcher = new Watcher(settings, events)
  const unreserved = new Unreserved(toMicro(settings.onStoreError?.allow ?? 0)!)
  const postings = new Postings(new Delivery(store, storeTimeout, watcher, events), renewal, unreserved, settings.spool, logger)
  const learning = new Learning(store, storeTimeout)
  const refusals = new RefusalCount()
  const journal = settings.journal && startExport(store, settings.journal, logger)
  const desk: Desk = { settings, renewal, events, refusals, admitter: new Admitter(settings, watcher, unreserved), settler: new Settler(postings, events, learning, logger) }
  let warned = false
  const engine: Engine<Request> = {
    settings,
    prices,
    endpoints: endpoints(settings),
    estimates: new Estimates(settings, learning),
    exchange: () => new Exchange(desk),
    report: (registered) => reportRoutes(prices, registered),
    billing: {
      ...accountsOf(settings),
      operations: new OperationsDesk(settings, events, learning, watcher),
      refusals: () => refusals.all(),
      async close() {
        await postings.drain()
        await watcher.drain()
        await learning.close()
        await journal?.close()
        await store.close()
      },
    },
    meetAgain(before) {
      if (before !== engine) {
        throw new FareboxError('BILLING_MOUNTED_TWICE', 'a request met two different billings, so nothing runs: mount one, with all prices in its price book')
      }
      if (!warned) logger.warn('farebox: billing is mounted twice: a call is billed once')
      warned = true
    },
  }
  return engine
}

/** Without importing Node: an edge runtime has no `process`. */
function inProduction(): boolean {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } }
  return process?.env?.['NODE_ENV'] === 'production'
}
