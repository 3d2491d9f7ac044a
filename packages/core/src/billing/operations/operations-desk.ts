import { toCredits } from '../../credits.js'
import { FareboxError, isFareboxError } from '../../errors.js'
import type { NoOperation, OperationRead } from '../../ledger/commands.js'
import { MAX_AMOUNT, RECORD_KEPT_MS } from '../../ledger/limits.js'
import type { Command, ReplyTo } from '../../store/commands.js'
import { isId } from '../admission/account.js'
import { withDeadline } from '../deadline.js'
import type { Emitter } from '../events.js'
import type { Learning } from '../learning/learning.js'
import { costOf, jsonOf, type Failure, type Success } from './operation-end.js'
import type { Settings } from '../options.js'
import type { ChargeItem } from '../prices/route.js'
import { entryDetails } from '../settlement/entry-details.js'
import type { Watcher } from '../thresholds/watcher.js'
import { pause } from '../timers.js'
import { readPlace, type Place } from './place.js'
import type { OperationOutcome, Operations } from './operations.js'

/** A worker can be done before its call has been answered: how long it waits before each time that it looks for that, ms. */
const WAITS = [0, 20, 50, 100, 200, 400, 800]

/** A store that can't be reached is tried again after so many ms. */
const RETRIES = [100, 200, 400, 800, 1_600, 3_200, ...Array.from({ length: 11 }, () => 5_000)]

interface Found {
  readonly place: Place
  /** As it was registered. */
  readonly text: string
  readonly read: OperationRead
}

/** What `finish` is told besides where. Micro-credits; without an amount: all of the ceiling. */
interface End {
  readonly succeeded: boolean
  readonly cost: ReturnType<typeof costOf>
  readonly result: string
}

/** Ends operations wherever they are kept. */
export class OperationsDesk implements Operations {
  constructor(
    private readonly settings: Pick<Settings<never>, 'store' | 'storeTimeout' | 'logger'>,
    private readonly events: Emitter,
    private readonly learning: Learning,
    private readonly watcher: Watcher,
  ) {}

  async succeed(operation: string, success: Success = {}): Promise<OperationOutcome> {
    const result = jsonOf('result', success.result)
    const end = ({ rates }: Place) => ({ succeeded: true, cost: costOf(success, rates), result })
    return this.#persist({ ...success, operation }, async () => this.#finish(operation, await this.#find(operation), end))
  }

  async fail(operation: string, { result }: Failure = {}): Promise<OperationOutcome> {
    const kept = jsonOf('result', result)
    const end = () => ({ succeeded: false, cost: { micro: 0, items: [] }, result: kept })
    return this.#persist({ operation, failed: true }, async () => this.#finish(operation, await this.#find(operation), end))
  }

  async progress(operation: string, progress: unknown): Promise<OperationOutcome> {
    const kept = jsonOf('progress', progress)
    return this.#goOn(operation, await this.#find(operation), kept, 0)
  }

  async extend(operation: string, ms: number): Promise<OperationOutcome> {
    if (!Number.isSafeInteger(ms) || ms < 1) throw new FareboxError('ARGUMENT_INVALID', `ms: expected a whole number above 0, got ${String(ms)}`)
    const found = await this.#find(operation)
    // First where it is found: that is not to be forgotten before the operation.
    if (found) await this.#ask({ kind: 'register', operation, place: found.text, keptMs: ms + RECORD_KEPT_MS })
    return this.#goOn(operation, found, '', ms)
  }

  async #persist<T>(record: object, act: () => Promise<T>): Promise<T> {
    for (const wait of RETRIES) {
      try {
        return await act()
      } catch (error) {
        if (!isFareboxError(error) || error.code !== 'STORE_UNAVAILABLE') throw error
      }
      await pause(wait)
    }
    return act().catch((error: unknown) => {
      this.settings.logger.error(`farebox: given up: the end of an operation could not be posted: ${JSON.stringify(record)}`, error)
      throw error
    })
  }

  async #goOn(operation: string, found: Found | undefined, progress: string, ttlMs: number): Promise<OperationOutcome> {
    if (!found) return { kind: 'unknown' }
    const { account, reservation } = found.place
    return outcomeOf(account, await this.#ask({ kind: 'progress', account, operation, reservation, progress, ttlMs }))
  }

  async #finish(operation: string, found: Found | undefined, endAt: (place: Place) => End): Promise<OperationOutcome> {
    if (!found) return { kind: 'unknown' }
    const { account, reservation, key, route, budgets, details } = found.place
    if (found.read.finishedAt > 0) return outcomeOf(account, found.read)
    const { succeeded, cost: { micro: charge = MAX_AMOUNT, items }, result } = endAt(found.place)
    const reply = await this.#ask({ kind: 'finish', account, operation, reservation, key, succeeded: succeeded ? 1 : 0, charge, ...entryDetails(details, items), budgets, result })
    if (reply.kind === 'operation') this.#tell(account, route, reply, charge, items)
    return outcomeOf(account, reply)
  }

  #tell(account: string, route: string, read: OperationRead, owed: number, items: readonly ChargeItem[]): void {
    const { status, reservation, product, late } = read
    const [ceiling, charge, shortfall] = [toCredits(read.ceiling), toCredits(read.charge), toCredits(read.shortfall)]
    const call = { route, account, reservation, ceiling }
    const durationMs = read.finishedAt - read.startedAt
    if (status !== 'succeeded') return this.events.emit('released', { ...call, durationMs, pending: false })
    this.learning.observe(route, { durationMs, ceiling: read.ceiling, charge: read.charge, accepted: true })
    if (owed > read.ceiling && owed < MAX_AMOUNT) this.events.clamped(call, toCredits(owed))
    if (late) this.events.late(call, charge, shortfall)
    this.events.emit('settled', { ...call, product, charge, items, durationMs, pending: false })
    this.watcher.look(account)
  }

  /** Where an operation is kept and how it stands. It is found a moment before it is there: both are waited for. */
  async #find(operation: string): Promise<Found | undefined> {
    if (!isId(operation)) throw new FareboxError('ARGUMENT_INVALID', 'operation: expected the id that its call answered, a string of 1 to 256 characters')
    for (const wait of WAITS) {
      if (wait > 0) await pause(wait)
      const located = await this.#ask({ kind: 'locate', operation })
      if (located.kind === 'not_located') continue
      const place = readPlace(located.place)
      const read = await this.#ask({ kind: 'operation', account: place.account, operation })
      if (read.kind === 'operation') return { place, text: located.place, read }
    }
    return undefined
  }

  #ask<C extends Command>(command: C): Promise<ReplyTo<C>> {
    return withDeadline(this.settings.store.send(command), this.settings.storeTimeout)
  }
}

function outcomeOf(account: string, read: OperationRead | NoOperation): OperationOutcome {
  if (read.kind === 'no_operation') return { kind: 'unknown' }
  const { status, operation, late } = read
  return { kind: status, operation, account, ceiling: toCredits(read.ceiling), charge: toCredits(read.charge), shortfall: toCredits(read.shortfall), late }
}
