import type { Closed, Hold, OperationConflict, OperationRead, Release, Settle } from '../../ledger/commands.js'
import type { Command, ReplyTo } from '../../store/commands.js'
import type { Store } from '../../store/store.js'
import type { OpenCall } from '../call/call.js'
import { toCredits } from '../../credits.js'
import { RECORD_KEPT_MS } from '../../ledger/limits.js'
import { callEvent, type Emitter } from '../events.js'
import { findCharge } from '../accounts/find-charge.js'
import { withDeadline } from '../deadline.js'
import type { Logger } from '../logger.js'
import type { Watcher } from '../thresholds/watcher.js'
import { tryAgain } from '../persist.js'
import type { Renewal } from './renewal.js'

type Ending = Settle | Release | (Hold & { readonly place: string })
type Ended = Closed | OperationRead | OperationConflict

/** How many endings may wait for a store that can't be reached. */
const MAX_KEPT = 10_000

export type Posting =
  | { readonly kind: 'posted'; readonly ended: Ended }
  /** The store could not be reached; the ending waits here and is sent until it is there. */
  | { readonly kind: 'kept' }

/**
 * Posts the endings of calls. One that does not reach the store is kept and sent again until it does, with its
 * reservation kept alive: a known charge is never dropped without a record.
 */
export class Postings {
  /** Whatever is on its way to the store. */
  readonly #work = new Set<Promise<unknown>>()
  /** How many endings wait to be sent again. */
  #kept = 0
  #closing = false

  constructor(
    private readonly store: Store,
    private readonly timeoutMs: number,
    private readonly renewal: Renewal,
    private readonly watcher: Watcher,
    private readonly events: Emitter,
    private readonly logger: Logger,
  ) {}

  /** Answers after one try. Never rejects. */
  post(open: OpenCall, command: Ending): Promise<Posting> {
    return this.#track(this.#postOrKeep(open, command))
  }

  /** Resolves when nothing is on its way any more. What still can't be posted gets one more try, then is given up. */
  async drain(): Promise<void> {
    this.#closing = true
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  async #postOrKeep(open: OpenCall, command: Ending): Promise<Posting> {
    try {
      return { kind: 'posted', ended: await this.#deliver(open, command) }
    } catch (error) {
      if (this.#kept >= MAX_KEPT) this.#giveUp(open, command, error)
      // A response is only worth keeping while the store takes it: ten thousand of them would not fit here.
      else void this.#track(this.#retry(open, command.kind === 'release' ? command : { ...command, response: '' }))
      return { kind: 'kept' }
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#work.delete(tracked))
    this.#work.add(tracked)
    return tracked
  }

  async #retry(open: OpenCall, command: Ending): Promise<void> {
    this.#kept++
    try {
      const ended = await tryAgain(() => this.#deliver(open, command), () => this.#closing)
      if (ended.kind === 'operation_conflict') this.#giveUp(open, command, new Error('its operation has the id of another one'))
    } catch (error) {
      this.#giveUp(open, command, error)
    }
    this.#kept--
  }

  async #deliver(open: OpenCall, command: Ending): Promise<Ended> {
    const ended = await this.#send(command)
    // Of a conflict nothing has come yet: what its call is charged instead ends it.
    if (ended.kind !== 'operation_conflict') this.renewal.stop(open)
    if (ended.kind === 'settled') this.watcher.look(open.account)
    if (ended.kind === 'settled' && ended.late) this.events.late(callEvent(open), toCredits(ended.charge), toCredits(ended.shortfall))
    return ended
  }

  /** The record of last resort: everything that is needed to post the charge by hand. */
  #giveUp(open: OpenCall, command: Ending, error: unknown): void {
    this.renewal.stop(open)
    this.logger.error(`farebox: given up: ${JSON.stringify(command)} could not be posted`, error)
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
