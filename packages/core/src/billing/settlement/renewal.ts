import type { Store } from '../../store/store.js'
import type { NamedCall, OpenCall } from '../call/call.js'
import { toCredits } from '../../credits.js'
import { callEvent, type Emitter } from '../events.js'
import type { Logger } from '../logger.js'
import { MAX_DURATION_MS } from '../prices/route.js'
import { backgroundTimer, timersEndWithRequest } from '../timers.js'

/**
 * Keeps the reservations of running calls alive: one timer for the process, that moves every deadline three
 * times a lifetime. When the process dies, they end by themselves.
 *
 * workerd cancels a timer with the request that set it, so there each call has one of its own.
 */
export class Renewal {
  readonly #open = new Map<string, OpenCall>()
  readonly #timersEndWithRequest = timersEndWithRequest()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly store: Store, private readonly ttlMs: number, private readonly events: Emitter, private readonly logger: Logger) {}

  start(open: OpenCall): void {
    this.#open.set(open.reservation, open)
    if (this.#timersEndWithRequest) this.#armFor(open)
    else this.#arm()
  }

  stop({ reservation }: NamedCall): void {
    this.#open.delete(reservation)
  }

  #arm(): void {
    if (this.#timer !== undefined) return
    // A running call keeps its process alive by its own socket.
    this.#timer = backgroundTimer(() => this.#tick(), this.ttlMs / 3)
  }

  #armFor(open: OpenCall): void {
    setTimeout(() => {
      if (!this.#open.has(open.reservation)) return
      this.#renew(open, performance.now() - open.startedAt)
      this.#armFor(open)
    }, this.ttlMs / 3)
  }

  #tick(): void {
    this.#timer = undefined
    const now = performance.now()
    for (const open of this.#open.values()) this.#renew(open, now - open.startedAt)
    if (this.#open.size > 0) this.#arm()
  }

  #renew(open: OpenCall, age: number): void {
    if (age < this.ttlMs / 4) return
    if (age >= (open.route.maxDuration ?? MAX_DURATION_MS)) {
      this.stop(open)
      this.logger.warn(`farebox: ${open.key} runs longer than its maxDuration, its ${toCredits(open.ceiling)} credits are held no longer`)
      this.events.emit('expired', callEvent(open))
      return
    }
    // A store that can't be reached is tried again at the next tick; the reservation outlives two misses.
    const { account, reservation } = open
    this.store.send({ kind: 'extend', account, reservation, ttlMs: this.ttlMs }).then(({ kind }) => {
      // Only a call that is still running has lost anything.
      if (kind === 'gone' && this.#open.delete(reservation)) this.events.emit('expired', callEvent(open))
    }).catch(() => {})
  }
}
