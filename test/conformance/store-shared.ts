import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, type Rig } from './store-rig.js'

/** The rules of what no account owns. */
export function testShared(rig: Rig): void {
  describe('where an operation is kept', () => {
    const { clock, register, locate } = rig

    test('is found for as long as it said', async () => {
      expect(await locate()).toEqual({ kind: 'not_located' })
      expect(await register()).toEqual({ kind: 'registered' })
      clock.now += 59_999
      expect(await locate()).toEqual({ kind: 'located', place: 'ada' })
      clock.now += 1
      expect(await locate()).toEqual({ kind: 'not_located' })
    })
    test('can be said again, which keeps it longer and never shorter', async () => {
      await register()
      clock.now += 10_000
      expect(await register({ keptMs: 1 })).toEqual({ kind: 'registered' })
      clock.now += 49_999
      expect(await locate()).toEqual({ kind: 'located', place: 'ada' })
      expect(await register()).toEqual({ kind: 'registered' })
      clock.now += 59_999
      expect(await locate()).toEqual({ kind: 'located', place: 'ada' })
    })
    test('is taken for any other place until it is forgotten', async () => {
      await register()
      expect(await register({ place: 'bob', keptMs: 999_999 })).toEqual({ kind: 'taken' })
      clock.now += 59_999
      expect(await register({ place: 'ad' })).toEqual({ kind: 'taken' })
      expect(await locate()).toEqual({ kind: 'located', place: 'ada' })
      clock.now += 1
      expect(await register({ place: 'bob' })).toEqual({ kind: 'registered' })
      expect(await locate()).toEqual({ kind: 'located', place: 'bob' })
    })
    test('can be any text, under any id', async () => {
      for (const text of ODD_TEXTS) expect(await register({ operation: text, place: `${text}!` })).toEqual({ kind: 'registered' })
      for (const text of ODD_TEXTS) expect(await locate(text)).toEqual({ kind: 'located', place: `${text}!` })
      expect(await register({ operation: 'nowhere', place: '' })).toEqual({ kind: 'registered' })
      expect(await locate('nowhere')).toEqual({ kind: 'located', place: '' })
    })
    test('is the first one\'s when several say so at the same time', async () => {
      const replies = await Promise.all(ODD_TEXTS.map((place) => register({ place })))
      expect(replies.map(({ kind }) => kind)).toEqual(['registered', ...ODD_TEXTS.slice(1).map(() => 'taken')])
    })
  })

  describe('counters', () => {
    const { clock, count, counts } = rig
    /** 20,000 days are 2,857 weeks and a day. */
    const NEXT_WEEK = 6 * DAY
    const counted = async (name?: string) => (await counts(name)).counts

    test('add up by name', async () => {
      expect(await counts()).toEqual({ kind: 'counts', counts: {} })
      expect(await count({ counts: { calls: 1, ms: 250 } })).toEqual({ kind: 'counted' })
      await count({ counts: { calls: 2, errors: 0 } })
      await count({ name: 'other', counts: { calls: 9 } })
      expect(await counted()).toEqual({ calls: 3, ms: 250, errors: 0 })
      expect(await counted('other')).toEqual({ calls: 9 })
      expect(await counted('none')).toEqual({})
    })
    test('of this week and the last one are summed, older ones are gone', async () => {
      await count()
      clock.now += NEXT_WEEK - 1
      await count({ counts: { calls: 10 } })
      clock.now += 1
      expect(await counted()).toEqual({ calls: 11 })
      await count({ counts: { calls: 100, errors: 1 } })
      clock.now += 7 * DAY - 1
      expect(await counted()).toEqual({ calls: 111, errors: 1 })
      clock.now += 1
      expect(await counted()).toEqual({ calls: 100, errors: 1 })
      await count({ counts: { calls: 1_000 } })
      expect(await counted()).toEqual({ calls: 1_100, errors: 1 })
      clock.now += 14 * DAY
      expect(await counted()).toEqual({})
      await count({ counts: { calls: 5 } })
      expect(await counted()).toEqual({ calls: 5 })
    })
    test('can have any name, like those they are kept under', async () => {
      const names = ODD_TEXTS.filter((text) => text !== '__proto__')
      for (const [i, name] of names.entries()) await count({ name, counts: Object.fromEntries(names.map((counter) => [counter, i])) })
      for (const [i, name] of names.entries()) expect(await counted(name)).toEqual(Object.fromEntries(names.map((counter) => [counter, i])))
    })
    test('lose nothing when many count at the same time', async () => {
      await Promise.all(Array.from({ length: 300 }, (_, i) => count({ counts: { calls: 1, [`p${i % 3}`]: 2 } })))
      expect(await counted()).toEqual({ calls: 300, p0: 200, p1: 200, p2: 200 })
    })
  })
}
