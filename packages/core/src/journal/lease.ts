import type { Command, Lease as LeaseCommand, ReplyTo } from '../store/commands.js'
import { backgroundTimer } from '../billing/timers.js'

/** How long after its exporter has died another one takes over, ms. */
const LEASE_MS = 15_000

export type Ask = <C extends Command>(command: C) => Promise<ReplyTo<C>>

/** The right to export, which one exporter of all processes has. */
export class Lease {
  readonly #owner = crypto.randomUUID()
  #held = false

  constructor(private readonly ask: Ask) {}

  /** Takes it or makes it last longer. */
  async take(): Promise<boolean> {
    this.#held = (await this.#lease(LEASE_MS)).kind === 'leased'
    return this.#held
  }

  async release(): Promise<void> {
    if (this.#held) await this.#lease(0)
    this.#held = false
  }

  /**
   * Keeps it while this is done. A renewal that fails does no harm: two exporters at once write an entry twice, and neither one
   * before those that come before it.
   */
  async during<T>(act: () => Promise<T>): Promise<T> {
    const renew = () => backgroundTimer(() => {
      this.#lease(LEASE_MS).catch(() => {})
      timer = renew()
    }, LEASE_MS / 3)
    let timer = renew()
    try {
      return await act()
    } finally {
      clearTimeout(timer)
    }
  }

  #lease(ttlMs: number): Promise<ReplyTo<LeaseCommand>> {
    return this.ask({ kind: 'lease', name: 'journal', owner: this.#owner, ttlMs })
  }
}
