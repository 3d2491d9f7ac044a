import { toCredits } from '../credits.js'
import { DAY_MS } from '../ledger/limits.js'
import type { UsageRead, UsageRow } from '../ledger/commands.js'

const SERIES_DAYS = 7

/** What an account used, for a dashboard. Field names as Humalike publishes them; amounts in credits. */
export interface UsageSummary {
  /** Settled calls in the last 30 UTC days, today included. */
  readonly total_calls: number
  /** What they were charged, less what was refunded in that time. */
  readonly total_credits: number
  /** One line a product that was used in that time, the costliest first. */
  readonly per_component: readonly { readonly component: string; readonly calls: number; readonly credits: number }[]
  /** The last 7 UTC days, oldest first; a day without calls is there with zeros. */
  readonly daily_series: readonly { readonly date: string; readonly requests: number; readonly credits: number }[]
}

export function usageSummary({ today, rows }: UsageRead): UsageSummary {
  const products = [...new Set(rows.map(({ product }) => product))]
  const total = sum(rows)
  return {
    total_calls: total.calls,
    total_credits: total.credits,
    per_component: products
      .map((component) => ({ component, ...sum(rows.filter(({ product }) => product === component)) }))
      .sort((a, b) => b.credits - a.credits || a.component.localeCompare(b.component)),
    daily_series: Array.from({ length: SERIES_DAYS }, (_, i) => today - SERIES_DAYS + 1 + i).map((day) => {
      const { calls, credits } = sum(rows.filter((row) => row.day === day))
      return { date: new Date(day * DAY_MS).toISOString().slice(0, 10), requests: calls, credits }
    }),
  }
}

function sum(rows: readonly UsageRow[]) {
  const add = (field: 'calls' | 'charged' | 'refunded') => rows.reduce((total, row) => total + row[field], 0)
  return { calls: add('calls'), credits: toCredits(add('charged') - add('refunded')) }
}
