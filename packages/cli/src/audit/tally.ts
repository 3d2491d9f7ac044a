import { USAGE_DAYS, type LedgerEntry, type RecurringAllowance, type UsageRow } from '@farebox/core'
import { Lots } from './lots.js'

const DAY_MS = 86_400_000

/** Adds up a journal, entry by entry, keeping only what the checks need. Amounts in micro-credits. */
export class Tally {
  /** How many entries there were. */
  entries = 0
  balance = 0
  /** The first entry whose balance does not follow from the one before. */
  broken: { readonly id: string, readonly expected: number, readonly found: number } | undefined
  readonly lots = new Lots()
  /** By grant id, of those whose id is to be remembered: an allowance has none. */
  readonly grants = new Map<string, number>()
  /** By reservation. */
  readonly refunded = new Map<string, number>()
  /** Whether the account has had its allowance. */
  allowed = false
  /** The one that comes again, as far as entries tell: not how much of it rolls over, which the next call says again. */
  recurring: RecurringAllowance | undefined
  /** Whether anything was charged. */
  charges = false
  /** Whether a refund came whose charge nobody had asked to look for: what it was a refund of is not known. */
  missed = false
  readonly #charges = new Map<string, { readonly charged: number, readonly product: string }>()
  /** By day, the last ones, and product. */
  readonly #usage = new Map<number, Map<string, Omit<UsageRow, 'day' | 'product'>>>()
  #last = 0

  /** @param refunds the reservations whose charges are looked for */
  constructor(private readonly refunds: { has(reservation: string): boolean }) {}

  add(entry: LedgerEntry): void {
    const { id, kind, amount, balance } = entry
    if (!this.broken && balance !== this.#last + amount) this.broken = { id, expected: this.#last + amount, found: balance }
    this.#last = balance
    this.entries++
    this.balance += amount
    this.lots.add(entry)
    if (kind === 'grant') this.#grant(entry)
    if (kind === 'charge') this.#charge(entry)
    if (kind === 'refund') this.#refund(entry)
  }

  /** What a reservation was charged at first. */
  charged(reservation: string): number {
    return this.#charges.get(reservation)?.charged ?? 0
  }

  /**
   * The first day of which usage is kept.
   *
   * @param last the last day that is known to have any
   */
  since(last: number): number {
    return Math.max(last, ...this.#usage.keys()) - USAGE_DAYS + 1
  }

  /** What was used from this day on. */
  usage(since: number): readonly UsageRow[] {
    return [...this.#usage].filter(([day]) => day >= since).flatMap(([day, products]) => [...products].map(([product, used]) => ({ day, product, ...used })))
  }

  #grant({ reference, amount, lots }: LedgerEntry): void {
    const [share] = lots
    const [, source, date] = /^(allowance|rollover)(?::(\d{4}-\d\d-\d\d))?$/.exec(reference) ?? []
    // What the store grants by itself has ids of its own, which it does not remember.
    if (!share || source === undefined || share.source !== source) return void this.grants.set(reference, amount)
    this.allowed = true
    if (source === 'rollover' || date === undefined) return
    const [since, until] = [Date.parse(date) / DAY_MS, share.expiresAt / DAY_MS]
    this.recurring = { every: until - since === 1 ? 'day' : 'month', amount, rollover: 0, anchor: this.recurring?.anchor ?? Number(date.slice(8)), since, until }
  }

  #charge({ reference, label, amount, at }: LedgerEntry): void {
    const charged = 0 - amount
    this.charges = true
    this.#use(at, label, { calls: 1, charged, refunded: 0 })
    if (this.refunds.has(reference) && !this.#charges.has(reference)) this.#charges.set(reference, { charged, product: label })
  }

  #refund({ reference, amount, at }: LedgerEntry): void {
    this.refunded.set(reference, (this.refunded.get(reference) ?? 0) + amount)
    this.missed ||= !this.refunds.has(reference)
    const charge = this.#charges.get(reference)
    if (charge) this.#use(at, charge.product, { calls: 0, charged: 0, refunded: amount })
  }

  #use(at: number, product: string, { calls, charged, refunded }: Omit<UsageRow, 'day' | 'product'>): void {
    const day = Math.floor(at / DAY_MS)
    const products = this.#usage.get(day) ?? new Map<string, Omit<UsageRow, 'day' | 'product'>>()
    const used = products.get(product) ?? { calls: 0, charged: 0, refunded: 0 }
    this.#usage.set(day, products.set(product, { calls: used.calls + calls, charged: used.charged + charged, refunded: used.refunded + refunded }))
    for (const old of this.#usage.keys()) if (old <= day - USAGE_DAYS) this.#usage.delete(old)
  }
}
