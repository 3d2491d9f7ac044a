import type { LedgerEntry } from '@farebox/core'

/** No priority was given: the credits are used in turn with the plain ones. As in core's lots. */
const DEFAULT_PRIORITY = 50
const DAY_MS = 86_400_000

interface Charge extends Pick<LedgerEntry, 'label' | 'lots'> {
  readonly charged: number
}

/** Adds up a journal, entry by entry, keeping only what the checks need. Amounts in micro-credits. */
export class Tally {
  balance = 0
  /** The first entry whose balance does not follow from the one before. */
  broken: { readonly id: string, readonly expected: number, readonly found: number } | undefined
  /** What the entries took from a grant's lot, less what they gave back to it. */
  readonly taken = new Map<string, number>()
  readonly refunded = new Map<string, number>()
  readonly charges = new Map<string, Charge>()
  /** By `day product`. */
  readonly usage = new Map<string, { charged: number, refunded: number }>()
  private last = 0

  /**
   * @param refunds the reservations whose charges are looked for
   * @param since the first day of which usage is kept
   */
  constructor(private readonly refunds: { has(reservation: string): boolean }, private readonly since: number) {}

  add(entry: LedgerEntry): void {
    const { id, kind, amount, balance } = entry
    if (!this.broken && balance !== this.last + amount) this.broken = { id, expected: this.last + amount, found: balance }
    this.last = balance
    this.balance += amount
    if (kind === 'charge') this.charge(entry)
    if (kind === 'refund') this.refund(entry)
    if (kind === 'expiry') this.take(entry.reference, -amount)
  }

  private charge({ reference, label, amount, lots, at }: LedgerEntry): void {
    const charged = 0 - amount
    for (const share of lots) this.take(share.grant, share.amount)
    this.use(at, label).charged += charged
    if (this.refunds.has(reference) && !this.charges.has(reference)) this.charges.set(reference, { charged, label, lots })
  }

  private refund({ reference, amount, at }: LedgerEntry): void {
    const before = this.refunded.get(reference) ?? 0
    this.refunded.set(reference, before + amount)
    const charge = this.charges.get(reference)
    if (!charge) return
    this.use(at, charge.label).refunded += amount
    let from = 0
    for (const { grant, amount: part, expiresAt } of backwards(charge)) {
      const given = Math.min(from + part, before + amount) - Math.max(from, before)
      if (given > 0 && grant !== '' && (expiresAt === 0 || expiresAt > at)) this.take(grant, -given)
      from += part
    }
  }

  private take(grant: string, amount: number): void {
    this.taken.set(grant, (this.taken.get(grant) ?? 0) + amount)
  }

  private use(at: number, product: string): { charged: number, refunded: number } {
    const day = Math.floor(at / DAY_MS)
    const key = `${day} ${product}`
    const used = this.usage.get(key) ?? { charged: 0, refunded: 0 }
    if (day >= this.since) this.usage.set(key, used)
    return used
  }
}

/** What a charge took, the last first, plain credits (`''`) in their turn: as it is given back. */
function backwards({ charged, lots }: Charge) {
  const plain = { grant: '', amount: charged - lots.reduce((sum, { amount }) => sum + amount, 0), expiresAt: 0 }
  const inTurn = lots.filter(({ priority }) => priority <= DEFAULT_PRIORITY)
  return [...inTurn, plain, ...lots.slice(inTurn.length)].reverse()
}
