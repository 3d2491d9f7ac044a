import { toCredits, toMicro } from '../../credits.js'
import type { Threshold, Watched } from '../../ledger/commands.js'
import { reservationIds } from '../admission/reservation-id.js'
import { withDeadline } from '../deadline.js'
import type { Emitter } from '../events.js'
import type { Settings } from '../options.js'
import { persist } from '../persist.js'
import { TopUps, TOP_UP_RETRY_MS } from './top-ups.js'

type WatcherSettings = Pick<Settings<never>, 'store' | 'storeTimeout' | 'onThreshold' | 'autoTopUp' | 'logger'>

/**
 * Looks whether a balance has passed a threshold, after all that may have lowered it. The store decides who of all processes is told; here
 * an account is looked at by one at a time, and once more when something happened meanwhile.
 */
export class Watcher {
  readonly #thresholds: readonly Threshold[]
  readonly #topUps: TopUps | undefined
  readonly #nextId = reservationIds()
  /** The accounts that are being looked at, and whether they are to be looked at again. */
  readonly #looking = new Map<string, { again: boolean }>()
  readonly #work = new Set<Promise<void>>()
  #closing = false

  constructor(private readonly settings: WatcherSettings, private readonly events: Emitter) {
    const { onThreshold, autoTopUp } = settings
    this.#topUps = autoTopUp && new TopUps(settings, autoTopUp, () => this.#closing)
    this.#thresholds = [
      ...onThreshold.map((threshold): Threshold => 'below' in threshold
        ? { kind: 'below', amount: toMicro(threshold.below)! }
        : { kind: 'used', millionths: Math.ceil(threshold.used * 1_000_000) }),
      ...(autoTopUp ? [{ kind: 'top_up', amount: toMicro(autoTopUp.below)!, retryMs: TOP_UP_RETRY_MS } as const] : []),
    ]
  }

  /** Returns at once. */
  look(account: string): void {
    if (this.#thresholds.length === 0) return
    const looking = this.#looking.get(account)
    if (looking) {
      looking.again = true
      return
    }
    const work = this.#lookOn(account).finally(() => this.#work.delete(work))
    this.#work.add(work)
  }

  /** Resolves when everything that was seen has been told, and top-ups have ended. */
  async drain(): Promise<void> {
    this.#closing = true
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  async #lookOn(account: string): Promise<void> {
    const looking = { again: true }
    this.#looking.set(account, looking)
    const topUps: Promise<void>[] = []
    while (looking.again) {
      looking.again = false
      const watched = await this.#watch(account)
      if (watched) topUps.push(...this.#tell(account, watched))
    }
    this.#looking.delete(account)
    await Promise.all(topUps)
  }

  /** The same `watch` is sent until it is answered: only that one will be told. */
  async #watch(account: string): Promise<Watched | undefined> {
    const { store, storeTimeout, logger } = this.settings
    const command = { kind: 'watch', account, watch: this.#nextId(), thresholds: this.#thresholds } as const
    try {
      return await persist(() => withDeadline(store.send(command), storeTimeout), () => this.#closing)
    } catch (error) {
      logger.error(`farebox: the thresholds of account ${JSON.stringify(account)} could not be looked at`, error)
      return undefined
    }
  }

  #tell(account: string, { crossed, balance, available }: Watched): Promise<void>[] {
    return crossed.flatMap(({ threshold, number }) => {
      const told = this.settings.onThreshold[threshold]
      if (!told) return this.#topUps ? [this.#topUps.run(account, number, balance)] : []
      this.events.emit('threshold', { account, balance: toCredits(balance), available: toCredits(available), ...told })
      return []
    })
  }
}
