import { withDeadline } from '../billing/deadline.js'
import type { Logger } from '../billing/logger.js'
import { backgroundTimer } from '../billing/timers.js'
import type { Store } from '../store/store.js'
import { Lease, type Ask } from './lease.js'
import { Round } from './round.js'
import type { JournalSink } from './sink.js'
import { Survey } from './survey.js'

/** How long it rests: when nothing waited, when another process has the lease, and after failures, ms. */
const IDLE_MS = 500
const STAND_BY_MS = 3_000
const FIRST_RETRY_MS = 500
const LAST_RETRY_MS = 30_000
const STORE_TIMEOUT_MS = 5_000

/**
 * Sends the entries of all accounts on to a sink, for as long as it has the lease. What is exported is only what the sink has
 * confirmed, and it is known in the store: a process that dies loses nothing, and the next one goes on from there.
 */
export class Exporter {
  readonly #ask: Ask
  readonly #lease: Lease
  readonly #survey: Survey
  readonly #round: Round
  #marking = false
  #failures = 0
  #closed = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn: Promise<void> = Promise.resolve()

  constructor(store: Store, sink: JournalSink, private readonly logger: Logger) {
    this.#ask = (command) => withDeadline(store.send(command), STORE_TIMEOUT_MS)
    this.#lease = new Lease(this.#ask)
    this.#survey = new Survey(this.#ask)
    this.#round = new Round(this.#ask, sink, logger)
  }

  start(): void {
    this.#rest(0)
  }

  /** Finishes what is under way, sends on once more, and lets another process go on. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#turn
    await this.#work()
    await this.#lease.release().catch(() => {})
  }

  #rest(ms: number): void {
    if (this.#closed) return
    this.#timer = backgroundTimer(() => { this.#turn = this.#work().then((next) => this.#rest(next)) }, ms)
  }

  /** Returns how long to rest. */
  async #work(): Promise<number> {
    try {
      const rest = await this.#export()
      if (this.#failures > 0) this.logger.warn('farebox: the journal is exported again')
      this.#failures = 0
      return rest
    } catch (error) {
      // Every failure once more would say nothing new.
      if (this.#failures === 0) this.logger.error('farebox: the journal is not exported; this is tried again until it is', error)
      return Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, LAST_RETRY_MS)
    }
  }

  async #export(): Promise<number> {
    if (!this.#marking) await this.#ask({ kind: 'export_journal' })
    this.#marking = true
    if (!await this.#lease.take()) {
      // Whatever happens meanwhile, it has not seen.
      this.#survey.restart()
      return STAND_BY_MS
    }
    return this.#lease.during(async () => {
      const more = await this.#survey.goOn()
      return await this.#round.run() || more ? 0 : IDLE_MS
    })
  }
}
