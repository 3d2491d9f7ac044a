import { addLot, DEFAULT_PRIORITY, type LedgerEntry, type Lot, type SpentShare } from '@farebox/core'

/** The grants that end or are used out of turn, with what the entries say is left of them. */
export class Lots {
  #lots: readonly Lot[] = []

  /** In burn order. */
  get left(): readonly Lot[] {
    return this.#lots
  }

  add({ kind, amount, reference, lots }: LedgerEntry): void {
    switch (kind) {
      case 'grant': case 'refund': return lots.filter(isApart).forEach((share) => this.#change(share, share.amount))
      case 'charge': return lots.forEach((share) => this.#change(share, -share.amount))
      case 'expiry': return this.#change({ grant: reference, amount: 0, priority: DEFAULT_PRIORITY, expiresAt: 0, source: '' }, amount)
    }
  }

  /** One that is used up is gone; one that comes back is as if it were new. */
  #change({ grant, priority, expiresAt, source }: SpentShare, by: number): void {
    const known = this.#lots.find((lot) => lot.grant === grant)
    this.#lots = known
      ? this.#lots.map((lot) => (lot === known ? { ...lot, left: lot.left + by } : lot)).filter(({ left }) => left !== 0)
      : addLot(this.#lots, { grant, left: by, held: 0, priority, expiresAt, source })
  }
}

/** All others are plain credits. */
function isApart({ priority, expiresAt }: SpentShare): boolean {
  return priority !== DEFAULT_PRIORITY || expiresAt !== 0
}
