/** How often calls were refused in this process, by code. */
export class RefusalCount {
  readonly #counts = new Map<string, number>()

  count(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
