import type { Unreserved } from '../admission/unreserved.js'
import type { NamedCall, OpenCall } from '../call/call.js'
import type { Logger } from '../logger.js'
import { tryAgain } from '../persist.js'
import { backgroundTimer } from '../timers.js'
import type { Delivery, Ended, Ending } from './delivery.js'
import type { Renewal } from './renewal.js'
import type { Spool, SpooledRecord, TakenRecord } from './spool.js'
import { readRecord, recordOf } from './spool-record.js'

/** How many endings may wait in memory for a store that can't be reached. */
const MAX_KEPT = 10_000
/** How often the spool is asked for what nobody has in memory, ms. */
const TAKE_MS = 2_500

export type Posting =
  | { readonly kind: 'posted'; readonly ended: Ended }
  /** The store could not be reached; the ending is kept and sent until it is there. */
  | { readonly kind: 'kept' }

/**
 * Posts the endings of calls. One that does not reach the store is kept, in memory and in the spool, and sent again until it does, with its
 * reservation kept alive: a known charge is never dropped without a record.
 */
export class Postings {
  /** Whatever is on its way to the store. */
  readonly #work = new Set<Promise<unknown>>()
  /** How many endings wait to be sent again. */
  #kept = 0
  #closing = false
  #spoolFails = false

  constructor(
    private readonly delivery: Delivery,
    private readonly renewal: Renewal,
    private readonly unreserved: Unreserved,
    private readonly spool: Spool | undefined,
    private readonly logger: Logger,
  ) {
    if (spool) this.#takeFrom(spool)
  }

  /** Answers after one try. Never rejects. */
  post(open: OpenCall, command: Ending): Promise<Posting> {
    return this.#track(this.#postOrKeep(open, command))
  }

  /** Resolves when nothing is on its way any more. What still can't be posted gets one more try, then stays in the spool or is given up. */
  async drain(): Promise<void> {
    this.#closing = true
    while (this.#work.size > 0) await Promise.all(this.#work)
    await this.spool?.close()
  }

  async #postOrKeep(open: OpenCall, command: Ending): Promise<Posting> {
    try {
      return { kind: 'posted', ended: await this.#deliver(open, command) }
    } catch (error) {
      // A response is only worth keeping while the store takes it: ten thousand of them would not fit here.
      await this.#keep(open, command.kind === 'release' ? command : { ...command, response: '' }, error)
      return { kind: 'kept' }
    }
  }

  async #keep(open: OpenCall, command: Ending, error: unknown): Promise<void> {
    const spooled = await this.#toSpool(open, command)
    if (this.#kept < MAX_KEPT) void this.#track(this.#retry(open, command, spooled))
    else this.#putAway(open, command, spooled, error)
  }

  async #toSpool(open: OpenCall, command: Ending): Promise<SpooledRecord | undefined> {
    try {
      return await this.spool?.append(recordOf(open, command))
    } catch (error) {
      this.logger.error('farebox: a charge could not be written to the spool, it is in memory only', error)
      return undefined
    }
  }

  #track<T>(work: Promise<T>): Promise<T> {
    const tracked = work.finally(() => this.#work.delete(tracked))
    this.#work.add(tracked)
    return tracked
  }

  async #retry(call: NamedCall, command: Ending, spooled: SpooledRecord | undefined): Promise<void> {
    this.#kept++
    try {
      const ended = await tryAgain(() => this.#deliver(call, command), () => this.#closing)
      if (ended.kind === 'operation_conflict') this.#giveUp(call, command, new Error('its operation has the id of another one'))
      spooled?.remove()
    } catch (error) {
      this.#putAway(call, command, spooled, error)
    }
    this.#kept--
  }

  async #deliver(call: NamedCall, command: Ending): Promise<Ended> {
    const ended = await this.delivery.deliver(call, command)
    // Of a conflict nothing has come yet: what its call is charged instead ends it.
    if (ended.kind === 'operation_conflict') return ended
    this.renewal.stop(call)
    this.unreserved.posted(call.reservation)
    return ended
  }

  /** For an ending that memory keeps no longer. */
  #putAway(call: NamedCall, command: Ending, spooled: SpooledRecord | undefined, error: unknown): void {
    if (!spooled) return this.#giveUp(call, command, error)
    this.renewal.stop(call)
    spooled.leave()
  }

  /** The record of last resort: everything that is needed to post the charge by hand. */
  #giveUp(call: NamedCall, command: Ending, error: unknown): void {
    this.renewal.stop(call)
    this.logger.error(`farebox: given up: ${JSON.stringify(command)} could not be posted`, error)
  }

  /** Goes on taking what earlier processes have left, and what memory had no room for. */
  #takeFrom(spool: Spool): void {
    void this.#track(this.#takeAll(spool)).then(() => {
      if (!this.#closing) backgroundTimer(() => this.#takeFrom(spool), TAKE_MS)
    })
  }

  async #takeAll(spool: Spool): Promise<void> {
    try {
      // Well below the most: else what is taken now would leave no room for the next call's.
      while (!this.#closing && this.#kept < MAX_KEPT / 2) {
        const taken = await spool.take()
        if (taken.length === 0) break
        for (const left of taken) this.#takeUp(left)
      }
      this.#spoolFails = false
    } catch (error) {
      if (!this.#spoolFails) this.logger.error('farebox: the spool can\'t be read', error)
      this.#spoolFails = true
    }
  }

  #takeUp(taken: TakenRecord): void {
    const read = readRecord(taken.record)
    if (read) return void this.#track(this.#retry(read.call, read.command, taken))
    this.logger.error(`farebox: skipped a record of the spool that is not whole: ${taken.record}`)
    taken.remove()
  }
}
