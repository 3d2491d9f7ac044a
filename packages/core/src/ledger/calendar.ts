import { DAY_MS } from './limits.js'
import type { BudgetWindow, RecurringAllowance } from './state.js'

/** The UTC day, as days since the epoch. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS)
}

/** As 2026-12-31. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** The number of a window at this time: of the day or the calendar month since the epoch, both UTC. */
export function periodOf(window: BudgetWindow, time: number): number {
  switch (window) {
    case 'day': return dayOf(time)
    case 'month': return monthOf(dayOf(time), 1)
    case 'total': return 0
  }
}

/** When a window ends; 0: never. */
export function endOf(window: BudgetWindow, period: number): number {
  switch (window) {
    case 'day': return (period + 1) * DAY_MS
    case 'month': return firstDay(period + 1, 1) * DAY_MS
    case 'total': return 0
  }
}

type Anchored = Pick<RecurringAllowance, 'every' | 'anchor'>

/** The number of the period that a day is in. */
export function allowancePeriod({ every, anchor }: Anchored, day: number): number {
  return every === 'day' ? day : monthOf(day, anchor)
}

/** The first day of a period. */
export function periodStart({ every, anchor }: Anchored, period: number): number {
  return every === 'day' ? period : firstDay(period, anchor)
}

/** The day of the month, from 1. */
export function anchorOf(day: number): number {
  return new Date(day * DAY_MS).getUTCDate()
}

/** Months since the epoch, each beginning on its `anchor`th day, or its last where it has no such day. */
function monthOf(day: number, anchor: number): number {
  const date = new Date(day * DAY_MS)
  const month = (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
  return day < firstDay(month, anchor) ? month - 1 : month
}

function firstDay(month: number, anchor: number): number {
  const [first, next] = [Date.UTC(1970, month), Date.UTC(1970, month + 1)].map((time) => time / DAY_MS) as [number, number]
  return Math.min(first + anchor, next) - 1
}

/** The earlier of two times, where 0 stands for none. */
export function earliest(a: number, b: number): number {
  if (a === 0) return b
  return b === 0 ? a : Math.min(a, b)
}
