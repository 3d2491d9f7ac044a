import { DAY_MS } from '../ledger/limits.js'
import type { Counts, Lease, SharedCommand, SharedReplyTo } from './commands.js'
import type { Waiting } from './waiting.js'

const WEEK_MS = 7 * DAY_MS

interface Place {
  readonly place: string
  readonly keptUntil: number
}

/** What no account owns, in this process: where operations are kept, counters, leases, and who waits for the journal's sink. */
export class SharedMemory {
  readonly #places = new Map<string, Place>()
  readonly #counters = new Map<string, { readonly week: number; readonly counts: Counts }[]>()
  readonly #leases = new Map<string, { readonly owner: string; readonly until: number }>()

  constructor(private readonly waiting: Waiting) {}

  carryOut<C extends SharedCommand>(command: C, now: number): SharedReplyTo<C> {
    return this.#dispatch(command, now) as SharedReplyTo<C>
  }

  #dispatch(command: SharedCommand, now: number): SharedReplyTo<SharedCommand> {
    switch (command.kind) {
      case 'register': return this.#register(command.operation, { place: command.place, keptUntil: now + command.keptMs }, now)
      case 'locate': {
        const known = this.#placeOf(command.operation, now)
        return known ? { kind: 'located', place: known.place } : { kind: 'not_located' }
      }
      case 'count': {
        const week = Math.floor(now / WEEK_MS)
        const kept = this.#kept(command.name, week)
        const current = kept.find((of) => of.week === week)?.counts ?? {}
        this.#counters.set(command.name, [...kept.filter((of) => of.week !== week), { week, counts: add(current, command.counts) }])
        return { kind: 'counted' }
      }
      case 'counts': return { kind: 'counts', counts: this.#kept(command.name, Math.floor(now / WEEK_MS)).map(({ counts }) => counts).reduce(add, {}) }
      case 'lease': return this.#lease(command, now)
      case 'export_journal': case 'waiting': case 'accounts': return this.waiting.carryOut(command)
    }
  }

  #lease({ name, owner, ttlMs }: Lease, now: number): SharedReplyTo<Lease> {
    const known = this.#leases.get(name)
    if (known && known.until > now && known.owner !== owner) return { kind: 'not_leased' }
    this.#leases.set(name, { owner, until: now + ttlMs })
    return { kind: 'leased' }
  }

  #register(operation: string, place: Place, now: number): SharedReplyTo<Extract<SharedCommand, { kind: 'register' }>> {
    const known = this.#placeOf(operation, now)
    if (known && known.place !== place.place) return { kind: 'taken' }
    if (!known || known.keptUntil < place.keptUntil) this.#places.set(operation, place)
    return { kind: 'registered' }
  }

  #placeOf(operation: string, now: number): Place | undefined {
    const known = this.#places.get(operation)
    if (known && known.keptUntil > now) return known
    this.#places.delete(operation)
    return undefined
  }

  #kept(name: string, week: number) {
    return (this.#counters.get(name) ?? []).filter((of) => of.week > week - 2)
  }
}

function add(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
