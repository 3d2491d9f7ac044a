import { expect, test } from 'vitest'
import { allowancePeriod, anchorOf, dateOf, dayOf, endOf, periodOf, periodStart } from '../src/ledger/calendar.js'

const DAY = 86_400_000
const LAST = Date.parse('2400-12-31')

/** Every day from 1970 to 2400, with the day that comes after it. */
function* days() {
  const date = new Date(0)
  for (let day = 0; date.getTime() <= LAST; day++) {
    const [time, dayOfMonth, text] = [date.getTime(), date.getUTCDate(), date.toJSON().slice(0, 10)]
    date.setUTCDate(dayOfMonth + 1)
    yield { day, time, dayOfMonth, text, isLast: date.getUTCDate() === 1 }
  }
}

/** Only what is wrong: an expectation for each of millions takes too long. */
function check(wrong: string[], text: string, ...equal: readonly (readonly [number | string, number | string])[]) {
  for (const [i, [actual, expected]] of equal.entries()) if (actual !== expected) wrong.push(`${text} (${i}): ${actual} instead of ${expected}`)
}

test('days have the number, the date and the end of Date\'s, from 1970 to 2400', () => {
  const wrong: string[] = []
  for (const { day, time, dayOfMonth, text } of days()) {
    check(wrong, text, [dayOf(time), day], [dayOf(time + DAY - 1), day], [dateOf(day), text], [anchorOf(day), dayOfMonth],
      [periodOf('day', time), day], [periodOf('day', time + DAY - 1), day], [endOf('day', day), time + DAY], [periodOf('total', time), 0])
  }
  expect(wrong).toEqual([])
  expect(endOf('total', 0)).toBe(0)
})

test('calendar months begin on the first and end with the next, from 1970 to 2400', () => {
  const wrong: string[] = []
  let month = -1
  for (const { time, dayOfMonth, text } of days()) {
    if (dayOfMonth === 1) {
      month++
      check(wrong, text, [endOf('month', month - 1), time])
    }
    check(wrong, text, [periodOf('month', time), month], [periodOf('month', time + DAY - 1), month])
  }
  expect(wrong).toEqual([])
})

test('a month of an allowance begins on its day, or on the last where a month has none, from 1970 to 2400', () => {
  const wrong: string[] = []
  for (const anchor of [1, 2, 15, 27, 28, 29, 30, 31]) {
    const terms = { every: 'month', anchor } as const
    let period = -1
    for (const { day, dayOfMonth, isLast, text } of days()) {
      if (dayOfMonth === anchor || (isLast && dayOfMonth < anchor)) {
        period++
        check(wrong, text, [periodStart(terms, period), day])
      }
      check(wrong, text, [allowancePeriod(terms, day), period])
    }
  }
  expect(wrong).toEqual([])
})

test('a day of an allowance is a day', () => {
  for (const day of [0, 1, 20_000, 157_000]) {
    expect(allowancePeriod({ every: 'day', anchor: 31 }, day)).toBe(day)
    expect(periodStart({ every: 'day', anchor: 31 }, day)).toBe(day)
  }
})
