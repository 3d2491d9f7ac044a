/** A call as its client made it. Amounts in micro-credits. */
export interface Work {
  readonly id: string
  readonly account: string
  readonly price: number
  readonly charge: number
  /** With an Idempotency-Key: sent again until it is answered. */
  readonly keyed: boolean
}

export interface Grant {
  readonly id: string
  readonly account: string
  readonly amount: number
}

/** What clients know: all that they asked for, and what of it was acknowledged. By id. */
export class Book {
  readonly accounts = new Set<string>()
  readonly works = new Map<string, Work>()
  readonly grants = new Map<string, Grant>()
  /** Whether the charge was still pending when it was told. */
  readonly charged = new Map<string, { readonly amount: number, readonly pending: boolean }>()
  readonly granted = new Set<string>()
  /** How often each status came, and `lost` instead of an answer. */
  readonly answers: Record<string, number> = {}

  answered(status: number | 'lost'): void {
    this.answers[status] = (this.answers[status] ?? 0) + 1
  }
}
