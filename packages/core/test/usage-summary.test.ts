import { expect, it } from 'vitest'
import { usageSummary } from '../src/http/usage-summary.js'

const today = Date.UTC(2026, 2, 2) / 86_400_000

it('an account that used nothing has seven days of zeros', () => {
  const { daily_series, ...rest } = usageSummary({ kind: 'usage', today, rows: [] })
  expect(rest).toEqual({ total_calls: 0, total_credits: 0, per_component: [] })
  expect(daily_series).toHaveLength(7)
  expect(daily_series.every(({ requests, credits }) => requests === 0 && credits === 0)).toBe(true)
})

it('the series is the last seven UTC days, oldest first, without holes, across the end of a month', () => {
  const rows = [{ day: today - 3, product: 'a', calls: 2, charged: 3_000_000, refunded: 0 }, { day: today - 3, product: 'b', calls: 1, charged: 500_000, refunded: 0 }]
  expect(usageSummary({ kind: 'usage', today, rows }).daily_series).toEqual([
    { date: '2026-02-24', requests: 0, credits: 0 },
    { date: '2026-02-25', requests: 0, credits: 0 },
    { date: '2026-02-26', requests: 0, credits: 0 },
    { date: '2026-02-27', requests: 3, credits: 3.5 },
    { date: '2026-02-28', requests: 0, credits: 0 },
    { date: '2026-03-01', requests: 0, credits: 0 },
    { date: '2026-03-02', requests: 0, credits: 0 },
  ])
})

it('totals and products are over all rows, older than the series too; the costliest product comes first, equals by name', () => {
  const rows = [
    { day: today - 29, product: 'b', calls: 1, charged: 1_000_000, refunded: 0 },
    { day: today, product: 'a', calls: 4, charged: 1_000_000, refunded: 0 },
    { day: today - 7, product: 'c', calls: 1, charged: 2_000_000, refunded: 0 },
    { day: today, product: 'c', calls: 1, charged: 250_000, refunded: 0 },
  ]
  const summary = usageSummary({ kind: 'usage', today, rows })
  expect(summary).toMatchObject({ total_calls: 7, total_credits: 4.25 })
  expect(summary.per_component).toEqual([
    { component: 'c', calls: 2, credits: 2.25 },
    { component: 'a', calls: 4, credits: 1 },
    { component: 'b', calls: 1, credits: 1 },
  ])
  expect(summary.daily_series.at(-1)).toEqual({ date: '2026-03-02', requests: 5, credits: 1.25 })
})

it('sums micro-credits, so that a thousand times 0.1 is 100', () => {
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ day: today - (i % 30), product: `p${i}`, calls: 1, charged: 100_000, refunded: 0 }))
  expect(usageSummary({ kind: 'usage', today, rows }).total_credits).toBe(100)
})

it('takes what was refunded off, on the day of the refund', () => {
  const rows = [
    { day: today - 1, product: 'a', calls: 2, charged: 3_000_000, refunded: 0 },
    { day: today, product: 'a', calls: 0, charged: 0, refunded: 1_000_000 },
  ]
  const { total_calls, total_credits, per_component, daily_series } = usageSummary({ kind: 'usage', today, rows })
  expect({ total_calls, total_credits, per_component }).toEqual({ total_calls: 2, total_credits: 2, per_component: [{ component: 'a', calls: 2, credits: 2 }] })
  expect(daily_series.slice(-2).map(({ requests, credits }) => [requests, credits])).toEqual([[2, 3], [0, -1]])
})
