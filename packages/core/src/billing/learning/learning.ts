import { countersOf, learnedFrom, type Learned, type Observation } from './counters.js'
import type { Counts } from '../../store/commands.js'
import type { Store } from '../../store/store.js'
import { withDeadline } from '../deadline.js'
import { backgroundTimer, timersEndWithRequest } from '../timers.js'

/** How long what this process has seen waits before the others can see it, ms. */
const FLUSH_MS = 1_000

/**
 * Learns from settled calls what a route's next call will cost and take. No call waits for it: what was seen is
 * counted here and goes to the store about once a second, where the counters of all processes add up.
 *
 * workerd cancels a timer with the request that set it, so there every call sends its own.
 */
export class Learning {
  /** Counters that the store has not been sent, by route: no more than a route has, however long it can't be reached. */
  #waiting = new Map<string, Record<string, number>>()
  /** What is on its way. */
  #sending: Promise<void> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #timersEndWithRequest = timersEndWithRequest()

  constructor(private readonly store: Store, private readonly timeoutMs: number) {}

  /** @param route its key in the price book */
  observe(route: string, seen: Observation): void {
    this.#add(route, countersOf(seen))
    if (this.#timersEndWithRequest) void this.#send()
    else this.#arm()
  }

  /**
   * What all processes have seen of a route in the last one to two weeks; `undefined` for fewer than 20 calls.
   *
   * @throws FareboxError `STORE_UNAVAILABLE`
   */
  async read(route: string): Promise<Learned | undefined> {
    const read = this.#flush().then(() => this.store.send({ kind: 'counts', name: route }))
    return learnedFrom((await withDeadline(read, this.timeoutMs)).counts)
  }

  /** Sends what waits. What the store does not take in time is forgotten: nobody pays by it. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await withDeadline(this.#flush(), this.timeoutMs).catch(() => {})
  }

  #add(route: string, counts: Counts): void {
    const sum = this.#waiting.get(route) ?? {}
    for (const [name, count] of Object.entries(counts)) sum[name] = (sum[name] ?? 0) + count
    this.#waiting.set(route, sum)
  }

  #arm(): void {
    if (this.#closed) return
    this.#timer ??= backgroundTimer(() => void this.#tick(), FLUSH_MS)
  }

  async #tick(): Promise<void> {
    await this.#flush()
    this.#timer = undefined
    if (this.#waiting.size > 0) this.#arm()
  }

  /** One after the other, so that a store that hangs is sent no more and more. */
  #flush(): Promise<void> {
    return this.#timersEndWithRequest ? this.#send() : (this.#sending = this.#sending.then(() => this.#send()))
  }

  /**
   * What fails is kept for the next time. A store that took it and could not say so then counts those calls twice:
   * adding is not idempotent. That is chosen over losing them, since most failures are of a store that was not
   * reached, for as long as that lasts; and twice a second's calls move no percentile by a bucket. It waits for
   * the store's own answer without a deadline, which would make a slow store count again and again.
   */
  async #send(): Promise<void> {
    const taken = this.#waiting
    this.#waiting = new Map()
    await Promise.all([...taken].map(([name, counts]) => this.store.send({ kind: 'count', name, counts }).catch(() => this.#add(name, counts))))
  }
}
