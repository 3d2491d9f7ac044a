import type { Closed, Hold, OperationConflict, OperationRead, Release, Settle } from '../../ledger/commands.js'
import type { Command, ReplyTo } from '../../store/commands.js'
import type { Store } from '../../store/store.js'
import { toCredits } from '../../credits.js'
import { RECORD_KEPT_MS } from '../../ledger/limits.js'
import { findCharge } from '../accounts/find-charge.js'
import type { NamedCall } from '../call/call.js'
import { withDeadline } from '../deadline.js'
import { callEvent, type Emitter } from '../events.js'
import type { Watcher } from '../thresholds/watcher.js'

export type Ending = Settle | Release | (Hold & { readonly place: string })
export type Ended = Closed | OperationRead | OperationConflict

/** Takes the endings of calls to the store. Any of them may be delivered again: it ends its call once. */
export class Delivery {
  constructor(private readonly store: Store, private readonly timeoutMs: number, private readonly watcher: Watcher, private readonly events: Emitter) {}

  /** Rejects when the store does not answer. */
  async deliver(call: NamedCall, command: Ending): Promise<Ended> {
    const ended = await this.#send(command)
    // A call that cost nothing as well: what it gave back may have ended meanwhile.
    if (ended.kind === 'settled' || ended.kind === 'released') this.watcher.look(call.account)
    if (ended.kind === 'settled' && ended.late) this.events.late(callEvent(call), toCredits(ended.charge), toCredits(ended.shortfall))
    return ended
  }

  async #send(command: Ending): Promise<Ended> {
    if (command.kind === 'hold') return this.#hold(command)
    const reply = await this.#ask(command)
    return reply.kind === 'unknown' ? this.#resolve(command as Settle, reply.now) : reply
  }

  /** First where to find it: a worker that hears of the operation looks there. */
  async #hold({ place, ...command }: Hold & { readonly place: string }): Promise<OperationRead | OperationConflict> {
    const { operation, ttlMs } = command
    const registered = await this.#ask({ kind: 'register', operation, place, keptMs: ttlMs + RECORD_KEPT_MS })
    if (registered.kind === 'registered') return this.#ask(command)
    const { balance, reserved, available } = await this.#ask({ kind: 'balance', account: command.account })
    return { kind: 'operation_conflict', balance, reserved, available }
  }

  /** The store can't tell any more whether this settle was posted: its journal can. */
  async #resolve(command: Settle, now: number): Promise<Ended> {
    const posted = await findCharge((read) => this.#ask(read), command.account, command.reservation)
    if (posted) {
      const { balance, reserved, available } = await this.#ask({ kind: 'balance', account: command.account })
      const { ceiling } = command
      return { kind: 'settled', ceiling, charge: -posted.amount, shortfall: posted.shortfall, late: false, balance, reserved, available }
    }
    return this.#send({ ...command, firstSentAt: now })
  }

  #ask<C extends Command>(command: C): Promise<ReplyTo<C>> {
    return withDeadline(this.store.send(command), this.timeoutMs)
  }
}
