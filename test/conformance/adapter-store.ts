import type { Command, ReplyTo, Store } from '@farebox/core'
import { latch, type Latch } from '../support/apps/latch.js'

/** A store that can be made to fail, to hang, or to wait at a command. */
export class FaultyStore implements Store {
  readonly name: string
  readonly durable: boolean
  /** What becomes of every command sent from now on. */
  fault: 'fails' | 'hangs' | undefined
  closed = false
  /** The reservations that were made here, each with the commands that ended it. */
  readonly calls = new Map<string, ('settle' | 'release' | 'hold')[]>()
  #held: { readonly kind: Command['kind']; readonly reached: Latch; readonly released: Latch } | undefined

  constructor(readonly inner: Store) {
    this.name = inner.name
    this.durable = inner.durable
  }

  async send<C extends Command>(command: C): Promise<ReplyTo<C>> {
    if (this.fault === 'fails') throw new Error('the store is gone')
    if (this.fault === 'hangs') await new Promise<never>(() => {})
    if (this.#held?.kind === command.kind) {
      this.#held.reached.open()
      await this.#held.released.opened
    }
    const reply = await this.inner.send(command)
    this.#record(command, reply)
    return reply
  }

  #record(command: Command, reply: { readonly kind: string }): void {
    if (command.kind === 'reserve' && reply.kind === 'reserved') this.calls.set(command.reservation, [])
    if (command.kind === 'settle' || command.kind === 'release' || command.kind === 'hold') this.calls.get(command.reservation)?.push(command.kind)
  }

  /** Keeps commands of a kind from the store until they are released. */
  hold(kind: Command['kind']): { readonly reached: Promise<void>; release(): void } {
    const held = { kind, reached: latch(), released: latch() }
    this.#held = held
    return { reached: held.reached.opened, release: held.released.open }
  }

  /** The suite closes the store itself, after it has looked at the ledger. */
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}
