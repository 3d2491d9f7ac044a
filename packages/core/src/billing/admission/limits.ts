import { MAX_CREDITS, toMicro } from '../../credits.js'
import type { Budget } from '../../ledger/commands.js'
import type { BudgetLimit, Limit, Settings } from '../options.js'
import { isId } from './account.js'

/** What limits a call besides the balance. Micro-credits. */
export interface Limits {
  /** Infinity where there is none. */
  readonly maxCeiling: number
  readonly budgets: readonly Budget[]
}

export type LimitsRead = { readonly kind: 'limits'; readonly limits: Limits } | { readonly kind: 'broken'; readonly reason: string; readonly cause?: unknown }

type LimitSettings = Pick<Settings<never>, 'maxCeiling' | 'maxPerDay' | 'budgets'>

const WINDOWS: ReadonlySet<unknown> = new Set(['day', 'month', 'total'])

/** The scope of the plan's limit a day. */
const PLAN_SCOPE = 'account'

/** Asks the options that limit a request. Whatever they return that can't be understood is a fault of the program, never a call without limits. */
export async function limitsOf(settings: LimitSettings, request: unknown): Promise<LimitsRead> {
  try {
    const [maxCeiling, perDay, budgets] = await Promise.all([
      ask('maxCeiling', settings.maxCeiling, request), ask('maxPerDay', settings.maxPerDay, request), settings.budgets?.(request as never) ?? [],
    ])
    const plan = perDay === undefined ? [] : [{ scope: PLAN_SCOPE, window: 'day', limit: perDay } as const]
    return { kind: 'limits', limits: { maxCeiling: maxCeiling ?? Infinity, budgets: strictest([...plan, ...readBudgets(budgets)]) } }
  } catch (cause) {
    return { kind: 'broken', reason: cause instanceof Unreadable ? cause.message : 'a limit threw', cause }
  }
}

class Unreadable extends Error {}

async function ask(name: string, limit: Limit<never> | undefined, request: unknown): Promise<number | undefined> {
  const credits = typeof limit === 'function' ? await limit(request as never) : limit
  return credits === undefined ? undefined : micro(name, credits)
}

function readBudgets(budgets: unknown): readonly Budget[] {
  if (!Array.isArray(budgets)) throw new Unreadable(`budgets: expected a list, got ${typeof budgets}`)
  return budgets.map((budget: Partial<BudgetLimit> | null | undefined, i) => {
    const { scope, window, limit } = budget ?? {}
    if (!isId(scope)) throw new Unreadable(`budgets[${i}].scope: expected a text of 1 to 256 characters, got ${String(scope)}`)
    if (!window || !WINDOWS.has(window)) throw new Unreadable(`budgets[${i}].window: expected "day", "month" or "total", got ${String(window)}`)
    return { scope, window, limit: micro(`budgets[${i}].limit`, limit) }
  })
}

function micro(name: string, credits: unknown): number {
  const amount = toMicro(credits)
  if (amount === undefined) throw new Unreadable(`${name}: expected credits from 0 to ${MAX_CREDITS}, got ${String(credits)}`)
  return amount
}

/** One budget of each scope and window: where several are given, the lowest counts. */
function strictest(budgets: readonly Budget[]): readonly Budget[] {
  const byWindow = new Map<string, Budget>()
  for (const budget of budgets) {
    const key = `${budget.window} ${budget.scope}`
    const known = byWindow.get(key)
    if (!known || budget.limit < known.limit) byWindow.set(key, budget)
  }
  return [...byWindow.values()]
}
