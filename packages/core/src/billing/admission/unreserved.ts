/**
 * Calls that run without a reservation, since the store can't answer. What they may cost together and is not posted yet is never above what
 * is allowed; what is posted is free for others.
 */
export class Unreserved {
  readonly #ceilings = new Map<string, number>()
  #sum = 0

  /** @param allowed micro-credits; 0: none run */
  constructor(private readonly allowed: number) {}

  /** Whether this one may run, which counts from now on. */
  admit(reservation: string, ceiling: number): boolean {
    if (this.allowed === 0 || this.#sum + ceiling > this.allowed) return false
    this.#sum += ceiling
    this.#ceilings.set(reservation, ceiling)
    return true
  }

  /** Any call has been posted. */
  posted(reservation: string): void {
    this.#sum -= this.#ceilings.get(reservation) ?? 0
    this.#ceilings.delete(reservation)
  }
}
