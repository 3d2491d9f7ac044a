import type { Budget, BudgetKey, Grant, LedgerEntry, Recurrence, Refund } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import { endOfWindow, Spending } from './spending.js'

/** One billable call, as whoever makes it knows it. Sent again, a command says the same. */
export interface Call {
  readonly reservation: string
  readonly ceiling: number
  readonly charge: number
  readonly product: string
  readonly key: string
  readonly payload: string
  readonly budgets: readonly Budget[]
  readonly ttlMs: number
  readonly sentAt: number
  /** When its reservation ends by itself; 0 while it is not open. */
  deadline: number
  /** When its end was first asked for. */
  endAskedAt?: number
  charged?: boolean
  /** For so long its key is not sold again, if it is open or was charged in time. */
  keyKeptUntil: number
  released?: boolean
  operation?: { readonly id: string, readonly heldAt: number }
}

/** What those who use an account know of it: what they sent, and what they were told. */
export class Known {
  readonly calls: Call[] = []
  readonly grants: Grant[] = []
  readonly refunds: Refund[] = []
  /** Ids of grants and refunds that took effect. */
  readonly done = new Set<string>()
  readonly spending = new Spending()
  entries: readonly LedgerEntry[] = []
  /** As it was after the step before. */
  stored: StoredAccount | undefined
  provisioned = false
  private latest = 0
  private readonly putBack: { readonly from: number, readonly to: number }[] = []

  constructor(readonly account: string, readonly recurrence?: Recurrence) {}

  get open(): readonly Call[] {
    return this.calls.filter(({ deadline }) => deadline > 0)
  }

  get charges(): readonly LedgerEntry[] {
    return this.entries.filter(({ kind }) => kind === 'charge')
  }

  /** Times at which something ends by itself. */
  get ends(): readonly number[] {
    return [...this.open.map(({ deadline }) => deadline), ...(this.stored?.lots ?? []).map(({ expiresAt }) => expiresAt)]
  }

  /** The account is looked at, so what has run out by now is not open any more. */
  pass(now: number): void {
    for (const call of this.open) if (call.deadline <= now) this.close(call, 0)
    if (now < this.latest) this.putBack.push({ from: this.latest, to: now })
    this.latest = Math.max(this.latest, now)
  }

  /** A call holds nothing any more. */
  close(call: Call, charge: number): void {
    call.deadline = 0
    this.spending.end(call.reservation, charge)
  }

  /** What was spent and is held in a budget; `undefined` when the clock was put back over its beginning or its end: in which of the windows it counted by then only a store that was asked knows. */
  use(budget: BudgetKey, now: number): { readonly spent: number, readonly held: number } | undefined {
    const begins = this.spending.begins(budget, now)
    return [Date.parse(begins), endOfWindow(begins)].some((time) => this.isPassedTwice(time)) ? undefined : this.spending.in(budget, now)
  }

  /** Whether the clock has gone past this time, and was put back before it: what ended then may stay until the next sweep. */
  isPassedTwice(time: number): boolean {
    return this.putBack.some(({ from, to }) => to < time && time <= from)
  }
}

/** The n-th of them, counted from the newest. */
export function nth<T>(items: readonly T[], n: number): T | undefined {
  return items[items.length - 1 - n % items.length]
}
