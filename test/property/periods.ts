/** The periods of an allowance that comes again, as a calendar on the wall has them. Dates as 2026-12-31. */
type Every = 'day' | 'month'

/** When the period after the one that begins then begins, if the first one began on `first`. */
export function nextPeriod(every: Every, first: string, date: string): string {
  const [year, month, day] = date.split('-').map(Number) as [number, number, number]
  return every === 'day' ? dateOf(Date.UTC(year, month - 1, day + 1)) : inMonth(first, year, month + 1)
}

/** On which day of that month, or of its days, a period begins. */
export function startOfPeriod(every: Every, first: string, date: string): string {
  const [year, month] = date.split('-').map(Number) as [number, number]
  return every === 'day' ? date : inMonth(first, year, month)
}

/** The day of `first`, or the month's last. */
function inMonth(first: string, year: number, month: number): string {
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return dateOf(Date.UTC(year, month - 1, Math.min(Number(first.slice(8)), last)))
}

function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
