import { dayOf } from './calendar.js'
import type { UsageRead } from './commands.js'
import { USAGE_DAYS } from './limits.js'
import type { AccountState, Usage } from './state.js'

const unused = { calls: 0, charged: 0, refunded: 0 }

/** Counts a settled call under its product and UTC day. */
export function countUsage(state: AccountState, product: string, charge: number, now: number): AccountState {
  return count(state, product, now, (used) => ({ ...used, calls: used.calls + 1, charged: used.charged + charge }))
}

/** Counts a refund under the product of its charge, on the day when it is given. */
export function countRefund(state: AccountState, product: string, amount: number, now: number): AccountState {
  return count(state, product, now, (used) => ({ ...used, refunded: used.refunded + amount }))
}

/** The first change of a day drops the days that fell out of the window. */
function count(state: AccountState, product: string, now: number, change: (used: Usage) => Usage): AccountState {
  const day = dayOf(now)
  const usage = day === state.usageDay ? state.usage : dropOldDays(state.usage, day)
  const key = usageKey(day, product)
  const used = usage.get(key) ?? unused
  return { ...state, usageDay: day, usage: usage.set(key, change(used)) }
}

export function readUsage(state: AccountState, now: number): UsageRead {
  const today = dayOf(now)
  const rows = state.usage.entries()
    .map(([key, counts]) => ({ ...parseKey(key), ...counts }))
    .filter(({ day }) => day > today - USAGE_DAYS)
  return { kind: 'usage', today, rows }
}

function dropOldDays(usage: AccountState['usage'], today: number): AccountState['usage'] {
  return usage.entries().reduce((kept, [key]) => (parseKey(key).day > today - USAGE_DAYS ? kept : kept.delete(key)), usage)
}

function usageKey(day: number, product: string): string {
  return `${day}:${product}`
}

function parseKey(key: string): { day: number; product: string } {
  const colon = key.indexOf(':')
  return { day: Number(key.slice(0, colon)), product: key.slice(colon + 1) }
}
