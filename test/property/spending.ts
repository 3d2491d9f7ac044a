import type { BudgetKey } from '@farebox/core'

const DAY = 86_400_000

/** A sum in the window of a budget, which begins on the day, in the month or (`''`) at all times. */
interface Sum {
  readonly budget: BudgetKey
  readonly begins: string
  readonly amount: number
}

/** What was spent and is held in budgets, as whoever pays would write it down. */
export class Spending {
  readonly #spent: Sum[] = []
  readonly #held = new Map<string, readonly Sum[]>()
  readonly #latest = new Map<string, string>()

  /** The window of a budget at this time. One that has begun stays, when the clock is put back. */
  begins(budget: BudgetKey, now: number): string {
    const begins = new Date(now).toISOString().slice(0, { day: 10, month: 7, total: 0 }[budget.window])
    const latest = this.#latest.get(nameOf(budget)) ?? ''
    return latest > begins ? latest : begins
  }

  hold(call: string, budgets: readonly BudgetKey[], amount: number, now: number): void {
    this.#held.set(call, this.#sums(budgets, amount, now))
  }

  spend(budgets: readonly BudgetKey[], amount: number, now: number): void {
    this.#spent.push(...this.#sums(budgets, amount, now))
  }

  /** Ends what a call holds; its charge counts in the windows in which it held. */
  end(call: string, charge: number): void {
    for (const sum of this.#held.get(call) ?? []) this.#spent.push({ ...sum, amount: charge })
    this.#held.delete(call)
  }

  in(budget: BudgetKey, now: number): { readonly spent: number, readonly held: number } {
    const begins = this.begins(budget, now)
    const total = (sums: readonly Sum[]) => sums.filter((sum) => nameOf(sum.budget) === nameOf(budget) && sum.begins === begins).reduce((sum, { amount }) => sum + amount, 0)
    return { spent: total(this.#spent), held: total([...this.#held.values()].flat()) }
  }

  #sums(budgets: readonly BudgetKey[], amount: number, now: number): readonly Sum[] {
    return budgets.map((budget) => {
      const begins = this.begins(budget, now)
      this.#latest.set(nameOf(budget), begins)
      return { budget, begins, amount }
    })
  }
}

/** When the day or month ends that begins then. */
export function endOfWindow(begins: string): number {
  if (begins === '') return Infinity
  if (begins.length > 7) return Date.parse(begins) + DAY
  const [year, month] = begins.split('-').map(Number) as [number, number]
  return Date.UTC(year, month)
}

function nameOf({ scope, window }: BudgetKey): string {
  return `${window} ${scope}`
}
