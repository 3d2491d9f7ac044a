import { earliest, endOf, periodOf } from './calendar.js'
import type { BalanceRead, Budget, OverBudget, ReadBalance, Reserve } from './commands.js'
import { standing } from './standing.js'
import type { AccountState, BudgetKey, BudgetUse, HeldBudget } from './state.js'

/** The first budget that can't cover the call. */
export function overBudget(state: AccountState, { ceiling, budgets = [] }: Reserve, now: number): OverBudget | undefined {
  const budget = budgets.findIndex((of) => !covers(state, of, ceiling, now))
  const over = budgets[budget]
  if (!over) return undefined
  const { period, spent, held } = useOf(state, over, now)
  return { kind: 'over_budget', required: ceiling, budget, spent, held, now, resetsAt: endOf(over.window, period), ...standing(state) }
}

function covers(state: AccountState, budget: Budget, ceiling: number, now: number): boolean {
  const { spent, held } = useOf(state, budget, now)
  return spent + held + ceiling <= budget.limit
}

/** Which windows a reservation of now holds its ceiling in: each once, also where two limits are for one. */
export function windowsOf(state: AccountState, budgets: readonly BudgetKey[] = [], now: number): readonly HeldBudget[] {
  const byKey = new Map(budgets.map((budget) => [budgetKey(budget), budget]))
  return [...byKey.values()].map(({ scope, window }) => ({ scope, window, period: useOf(state, { scope, window }, now).period }))
}

/** Holds a reservation's ceiling in its windows, or counts in them what was charged without holding it. */
export function count(state: AccountState, windows: readonly HeldBudget[], held: number, spent: number): AccountState {
  return windows.reduce((before, { scope, window, period }) => {
    const known = before.budgets.get(budgetKey({ scope, window }))
    const use = known?.period === period ? known : { period, spent: 0, held: 0 }
    const sweepAt = earliest(before.sweepAt, endOf(window, period))
    return { ...put(before, { scope, window }, { period, spent: use.spent + spent, held: use.held + held }), sweepAt }
  }, state)
}

/** Ends a reservation in its windows. One that has passed is over: the charge counts nowhere. */
export function giveBack(state: AccountState, windows: readonly HeldBudget[], ceiling: number, charge: number): AccountState {
  return windows.reduce((before, budget) => {
    const known = before.budgets.get(budgetKey(budget))
    if (known?.period !== budget.period) return before
    return put(before, budget, { ...known, spent: known.spent + charge, held: known.held - ceiling })
  }, state)
}

function put(state: AccountState, budget: BudgetKey, use: BudgetUse): AccountState {
  return { ...state, budgets: state.budgets.set(budgetKey(budget), use) }
}

export function readBalance(state: AccountState, { budgets }: ReadBalance, now: number): BalanceRead {
  const { provisioned } = state
  const read = budgets?.map((budget) => useOf(state, budget, now)).map(({ spent, held }) => ({ spent, held }))
  return { kind: 'balance', provisioned, ...(read && { budgets: read }), ...standing(state) }
}

/** The window that is current now; one that has begun stays so when the clock is put back, for those before it may have been dropped. */
function useOf({ budgets, sweptAt }: AccountState, budget: BudgetKey, now: number): BudgetUse {
  const period = periodOf(budget.window, Math.max(now, sweptAt))
  const known = budgets.get(budgetKey(budget))
  return known && known.period >= period ? known : { period, spent: 0, held: 0 }
}

/** Drops the windows that have ended. */
export function dropEnded(state: AccountState, now: number): AccountState {
  const budgets = state.budgets.entries().reduce((kept, [key, { period }]) => (isOver(key, period, now) ? kept.delete(key) : kept), state.budgets)
  return budgets === state.budgets ? state : { ...state, budgets }
}

/** When the next window ends; 0 for none. */
export function nextReset({ budgets }: AccountState): number {
  return budgets.entries().reduce((next, [key, { period }]) => earliest(next, endOf(windowOf(key), period)), 0)
}

function isOver(key: string, period: number, now: number): boolean {
  const end = endOf(windowOf(key), period)
  return end > 0 && end <= now
}

/** Windows have names of one word. */
function budgetKey({ scope, window }: BudgetKey): string {
  return `${window} ${scope}`
}

function windowOf(key: string): BudgetKey['window'] {
  return key.slice(0, key.indexOf(' ')) as BudgetKey['window']
}
