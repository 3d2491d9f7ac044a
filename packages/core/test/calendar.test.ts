import { expect, test } from 'vitest'
import { allowancePeriod, anchorOf, dateOf, dayOf, endOf, periodOf, periodStart } from '../src/ledger/calendar.js'

const DAY = 86_400_000
const LAST = Date.parse('2400-12-31')

/** Every day from 1970 to 2400, found by going on from one to the next. */
const days = (() => {
  const found: { day: number, time: number, text: string, dayOfMonth: number, isLast: boolean }[] = []
  const date = new Date(0)
  while (date.getTime() <= LAST) {
    const [time, dayOfMonth, text] = [date.getTime(), date.getUTCDate(), date.toJSON().slice(0, 10)]
    date.setUTCDate(dayOfMonth + 1)
    found.push({ day: found.length, time, text, dayOfMonth, isLast: date.getUTCDate() === 1 })
  }
  return found
})()

test('days have the number, the date and the end of Date\'s, from 1970 to 2400', () => {
  const wrong = days.filter(({ day, time, dayOfMonth, text }) =>
    dayOf(time) !== day || dayOf(time + DAY - 1) !== day || dateOf(day) !== text || anchorOf(day) !== dayOfMonth
    || periodOf('day', time) !== day || periodOf('day', time + DAY - 1) !== day || endOf('day', day) !== time + DAY)
  expect(wrong).toEqual([])
})

test('calendar months begin on the first and end with the next, from 1970 to 2400', () => {
  let month = -1
  const wrong = days.filter(({ time, dayOfMonth }) => {
    if (dayOfMonth === 1) month++
    return periodOf('month', time) !== month || periodOf('month', time + DAY - 1) !== month || (dayOfMonth === 1 && endOf('month', month - 1) !== time)
  })
  expect(wrong).toEqual([])
})

test.each([1, 2, 15, 27, 28, 29, 30, 31])('a month of an allowance begins on its day, or on the last where a month has none, from 1970 to 2400: %s', (anchor) => {
  const terms = { every: 'month', anchor } as const
  let period = -1
  const wrong = days.filter(({ day, dayOfMonth, isLast }) => {
    const begins = dayOfMonth === anchor || (isLast && dayOfMonth < anchor)
    if (begins) period++
    return allowancePeriod(terms, day) !== period || (begins && periodStart(terms, period) !== day)
  })
  expect(wrong).toEqual([])
})

test('a day of an allowance is a day, and all time has no end', () => {
  for (const day of [0, 1, 20_000, 157_000]) {
    expect(allowancePeriod({ every: 'day', anchor: 31 }, day)).toBe(day)
    expect(periodStart({ every: 'day', anchor: 31 }, day)).toBe(day)
    expect(periodOf('total', day * DAY)).toBe(0)
  }
  expect(endOf('total', 0)).toBe(0)
})
