import type { Logger } from '../billing/logger.js'
import type { BillingOptions } from '../billing/options.js'
import { parseOptions } from '../billing/parse-options.js'
import { timersEndWithRequest } from '../billing/timers.js'
import type { Store } from '../store/store.js'
import { Exporter } from './exporter.js'
import type { JournalSink } from './sink.js'

/** An export that runs. */
export interface JournalExport {
  /** Sends on what it can and stops; another process goes on. The store stays open. */
  close(): Promise<void>
}

/**
 * Sends every ledger entry on to a sink, as the option `journal` of `billing` does, in a process that serves no requests. Any number
 * of processes may do so: one works, the others stand by.
 *
 * @throws FareboxError `OPTIONS_INVALID`
 * @example
 * const exported = exportJournal({ store: redisStore(process.env.REDIS_URL), journal: ndjsonFile('/var/lib/app/ledger.ndjson') })
 * process.once('SIGTERM', () => exported.close())
 */
export function exportJournal(options: Pick<BillingOptions<unknown>, 'store' | 'logger'> & { readonly journal: JournalSink }): JournalExport {
  const { store, journal, logger } = parseOptions({ account: () => undefined, ...options, journal: options.journal ?? null })
  return startExport(store, journal!, logger)
}

/** Begins to export in the background. */
export function startExport(store: Store, sink: JournalSink, logger: Logger): JournalExport {
  if (timersEndWithRequest()) {
    logger.warn('farebox: journal: nothing runs between requests here, so entries wait in the store; run exportJournal in a process of its own')
    return { close: () => Promise.resolve() }
  }
  const exporter = new Exporter(store, sink, logger)
  exporter.start()
  return { close: () => exporter.close() }
}
