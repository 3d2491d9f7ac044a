import { DAY_MS, USAGE_DAYS } from './limits.js'
import type { UsageRead } from './commands.js'
import type { AccountState } from './state.js'

/** Counts a settled call under its product and UTC day. The first call of a day drops the days that fell out of the window. */
export function countUsage(state: AccountState, product: string, charge: number, now: number): AccountState {
  const day = dayOf(now)
  const usage = day === state.usageDay ? state.usage : dropOldDays(state.usage, day)
  const key = usageKey(day, product)
  const { calls, charged } = usage.get(key) ?? { calls: 0, charged: 0 }
  return { ...state, usageDay: day, usage: usage.set(key, { calls: calls + 1, charged: charged + charge }) }
}

export function readUsage(state: AccountState, now: number): UsageRead {
  const today = dayOf(now)
  const rows = state.usage.entries()
    .map(([key, counts]) => ({ ...parseKey(key), ...counts }))
    .filter(({ day }) => day > today - USAGE_DAYS)
  return { kind: 'usage', today, rows }
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS)
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
