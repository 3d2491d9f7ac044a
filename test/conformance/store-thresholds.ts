import type { Recurrence, Threshold } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, standing, type Rig } from './store-rig.js'

/** The rules of thresholds. */
export function testThresholds(rig: Rig): void {
  const { clock, reserve, settle, grant, refund, balance } = rig
  const below = (amount: number): Threshold => ({ kind: 'below', amount })
  const used = (share: number): Threshold => ({ kind: 'used', millionths: share * 1_000_000 })
  const topUp = (amount: number, retryMs = 60_000): Threshold => ({ kind: 'top_up', amount, retryMs })
  let calls = 0
  const use = async (charge: number, given: Parameters<typeof rig.reserve>[0] = {}) => {
    const call = { account: 'ada', reservation: `call ${++calls}`, ceiling: charge, allowance: 0, ...given }
    expect(await reserve(call)).toMatchObject({ kind: 'reserved' })
    await settle({ account: call.account, reservation: call.reservation, ceiling: charge, charge })
  }
  /** `place:number` of each that a new watch is told. */
  const look = async (...thresholds: readonly Threshold[]) => told(await rig.watch({ watch: crypto.randomUUID(), thresholds }))
  const told = ({ crossed }: Awaited<ReturnType<typeof rig.watch>>) => crossed.map(({ threshold, number }) => `${threshold}:${number}`)
  const give = (amount: number, given: Parameters<typeof grant>[0] = {}) => grant({ grant: crypto.randomUUID(), amount, ...given })
  /** Uses this much and looks. */
  const after = async (charge: number, ...thresholds: readonly Threshold[]) => {
    await use(charge)
    return look(...thresholds)
  }

  describe('a threshold', () => {
    test('is told when the balance is below it, not at it, and once', async () => {
      await give(100)
      expect(await rig.watch({ thresholds: [below(20)] })).toEqual({ kind: 'watched', crossed: [], ...standing(100, 0) })
      expect(await after(80, below(20))).toEqual([])
      await use(1)
      expect(await rig.watch({ watch: 'w2', thresholds: [below(20)] })).toEqual({ kind: 'watched', crossed: [{ threshold: 0, number: 1 }], ...standing(19, 0) })
      expect(await look(below(20))).toEqual([])
      expect(await after(19, below(20))).toEqual([])
    })
    test('is told by its place among several, those that are passed together in one reply', async () => {
      await give(100)
      const all = [below(50), used(0.5), below(0), below(200), topUp(30), used(0.8)]
      expect(await look(...all)).toEqual([])
      expect(await after(50, ...all)).toEqual(['1:1'])
      expect(await after(30, ...all)).toEqual(['0:1', '4:1', '5:1'])
      expect(await look(...all.toReversed())).toEqual([])
    })
    test('is told of what is used of the credits after the last grant', async () => {
      await give(100)
      await use(50)
      await give(150)
      expect(await look(used(0.8), used(1))).toEqual([])
      expect(await after(159, used(0.8), used(1))).toEqual([])
      expect(await after(1, used(0.8), used(1))).toEqual(['0:1'])
      expect(await after(39, used(0.8), used(1))).toEqual([])
      expect(await after(1, used(0.8), used(1))).toEqual(['1:1'])
    })
    test('of what is used rounds for the account: a share of it is used when all of the share is', async () => {
      await give(101)
      expect(await after(50, used(0.5))).toEqual([])
      expect(await after(1, used(0.5))).toEqual(['0:1'])
    })
    test('does not count what is held, only what is charged', async () => {
      await give(100)
      await look(below(20))
      await reserve({ ceiling: 90, allowance: 0 })
      expect(await look(below(20))).toEqual([])
      await settle({ ceiling: 90, charge: 5 })
      expect(await look(below(20))).toEqual([])
    })
    test.each([below(20), used(0.8)])('is told although nobody had looked before it was passed: %o', async (threshold) => {
      await use(90, { allowance: 100 })
      expect(await look(threshold)).toEqual(['0:1'])
      expect(await look(threshold)).toEqual([])
    })
    test.each([below(20), used(0.8)])('is not told of an account that was never above it: %o', async (threshold) => {
      expect(await look(threshold)).toEqual([])
      await grant({ amount: 0 })
      expect(await look(threshold)).toEqual([])
      if (threshold.kind === 'below') {
        await give(19)
        expect(await after(10, threshold)).toEqual([])
      }
    })
    test('of an account that was below it when it was first looked at is told when a grant has lifted it above', async () => {
      await give(10)
      expect(await look(below(20))).toEqual([])
      await give(90)
      expect(await after(81, below(20))).toEqual(['0:1'])
    })
    test('is told of a charge that came late', async () => {
      await give(100)
      await look(below(20))
      expect(await settle({ reservation: 'late', ceiling: 85, charge: 85 })).toMatchObject({ late: true })
      expect(await look(below(20))).toEqual(['0:1'])
    })
    test('that the end of a grant passes is told at the next look', async () => {
      await give(100, { expiresAt: clock.now + 1_000 })
      await give(10)
      clock.now += 999
      expect(await look(below(20))).toEqual([])
      clock.now += 1
      expect(await look(below(20), used(0.5))).toEqual(['0:1', '1:1'])
    })
    test('that the end of an allowance passes is told at the next look', async () => {
      const month: Recurrence = { every: 'month', rollover: 0 }
      await reserve({ ceiling: 0, recurrence: month })
      await reserve({ reservation: 'r2', ceiling: 0, allowance: 5, recurrence: month })
      expect(await look(below(20))).toEqual([])
      clock.now = Date.parse('2024-11-04')
      expect(await look(below(20))).toEqual(['0:1'])
    })
    test('of an account is not that of another', async () => {
      for (const account of ['ada', 'bob']) await use(90, { account, allowance: 100 })
      for (const account of ['ada', 'bob']) expect(told(await rig.watch({ account, thresholds: [below(20)] }))).toEqual(['0:1'])
    })
    test('is known to its program, and those of others stay as they are', async () => {
      await give(100)
      await look(below(20), below(30), used(0.9), topUp(15))
      expect(await after(90, below(20))).toEqual(['0:1'])
      expect(await look(below(25))).toEqual(['0:1'])
      expect(await look(below(20), below(25), below(30), used(0.9), topUp(15))).toEqual(['2:1', '3:1', '4:1'])
    })
    test('is the same sent with others, in any place', async () => {
      await give(100)
      await use(90)
      expect(await look(below(20))).toEqual(['0:1'])
      expect(await look(below(5), below(20), below(2))).toEqual([])
    })
    test('is exact up to 2^53 − 1', async () => {
      await give(Number.MAX_SAFE_INTEGER)
      expect(await look(below(Number.MAX_SAFE_INTEGER), used(0.5))).toEqual([])
      expect(await after(1, below(Number.MAX_SAFE_INTEGER), used(0.5))).toEqual(['0:1'])
      expect(await after(4_503_599_627_370_000, used(0.5))).toEqual([])
      expect(await after(1_000, used(0.5))).toEqual(['0:1'])
    })
    test('is told once by 1,000 calls at a time that pass it, each of which looks', async () => {
      await give(1_000)
      const thresholds = [below(500), used(0.8), topUp(300), below(1)]
      await look(...thresholds)
      const replies = await Promise.all(Array.from({ length: 1_000 }, async (_, i) => {
        const reservation = `r${i}`
        await reserve({ reservation, ceiling: 1, allowance: 0 })
        await settle({ reservation, ceiling: 1, charge: 1 })
        return told(await rig.watch({ watch: `w${i}`, thresholds }))
      }))
      expect(await balance()).toMatchObject(standing(0, 0))
      expect(replies.flat().sort()).toEqual(['0:1', '1:1', '2:1', '3:1'])
    })
  })

  describe('a watch', () => {
    test('that is sent again is told the same, also when others looked since', async () => {
      await use(90, { allowance: 100 })
      const thresholds = [below(5), below(20), topUp(20)]
      const first = await rig.watch({ thresholds })
      expect(told(first)).toEqual(['1:1', '2:1'])
      expect(await look(...thresholds)).toEqual([])
      clock.now += 59_999
      await use(1)
      expect((await rig.watch({ thresholds })).crossed).toEqual(first.crossed)
    })
    test.each(ODD_TEXTS.filter((text) => text !== '').map((text, i) => [i, text] as const))('can have any id (%s)', async (_, text) => {
      await use(90, { allowance: 100 })
      const thresholds = [below(20), topUp(20)]
      expect(told(await rig.watch({ watch: text, thresholds }))).toEqual(['0:1', '1:1'])
      expect(told(await rig.watch({ watch: `${text}.`, thresholds }))).toEqual([])
      expect(told(await rig.watch({ watch: text, thresholds }))).toEqual(['0:1', '1:1'])
    })
    test('is sent with its charge in one go', async () => {
      const thresholds = [below(20), used(0.5)]
      const [, , first, second, again] = await Promise.all([
        reserve({ ceiling: 90 }), settle({ ceiling: 90, charge: 90 }), rig.watch({ thresholds }), rig.watch({ watch: 'w2', thresholds }), rig.watch({ thresholds }),
      ])
      expect([first, second, again].map(told)).toEqual([['0:1', '1:1'], [], ['0:1', '1:1']])
    })
    test('of nothing is told nothing', async () => {
      await use(90, { allowance: 100 })
      expect(await rig.watch()).toEqual({ kind: 'watched', crossed: [], ...standing(10, 0) })
    })
  })

  describe('a threshold that was told', () => {
    const passed = async () => {
      await use(90, { allowance: 100 })
      expect(await look(below(20))).toEqual(['0:1'])
    }

    test.each([[11, []], [12, ['0:2']]])('is told again after a grant that lifts the balance a tenth above it: by %s', async (amount, again) => {
      await passed()
      await give(amount)
      expect(await look(below(20))).toEqual([])
      expect(await after(amount, below(20))).toEqual(again)
    })
    test('is told again after a grant whatever it was, and however much was spent since', async () => {
      await passed()
      await give(50, { priority: 10 })
      expect(await after(50, below(20))).toEqual(['0:2'])
      await give(50, { expiresAt: clock.now + DAY })
      expect(await after(60, below(20))).toEqual(['0:3'])
    })
    test('is not told again by small grants that each lift it a little above', async () => {
      await passed()
      for (let i = 0; i < 5; i++) {
        await give(11)
        expect(await after(11, below(20))).toEqual([])
      }
    })
    test('is not told again after a grant that had ended when it came, or that brings nothing', async () => {
      await passed()
      await give(100, { expiresAt: clock.now })
      await give(0)
      expect(await look(below(20))).toEqual([])
    })
    test('is not told again after a grant that was sent again', async () => {
      await give(100)
      await grant({ amount: 30 })
      expect(await after(111, below(20))).toEqual(['0:1'])
      await grant({ amount: 30 })
      expect(await look(below(20))).toEqual([])
    })
    test('is not told again after a refund, nor what a reservation gives back', async () => {
      await reserve({ ceiling: 90 })
      await settle({ ceiling: 90, charge: 90 })
      expect(await look(below(20), used(0.5))).toEqual(['0:1', '1:1'])
      await refund()
      expect(await balance()).toMatchObject(standing(100, 0))
      expect(await look(below(20), used(0.5))).toEqual([])
      expect(await after(90, below(20), used(0.5))).toEqual([])
    })
    test('is told again after the allowance has come again', async () => {
      const recurrence: Recurrence = { every: 'day', rollover: 50 }
      const thresholds = [below(20), used(0.8), topUp(10)]
      for (const number of [1, 2, 3]) {
        await use((await reserve({ reservation: `look ${number}`, ceiling: 0, recurrence })).available - 5)
        expect(await look(...thresholds)).toEqual([`0:${number}`, `1:${number}`, '2:1'])
        expect(await look(...thresholds)).toEqual([])
        clock.now += DAY
      }
      expect(await balance()).toMatchObject(standing(105, 0))
    })
    test('of what is used begins anew with every grant, also one that is smaller than those before', async () => {
      await give(1_000)
      expect(await after(1_000, used(0.8))).toEqual(['0:1'])
      await give(100)
      expect(await after(79, used(0.8))).toEqual([])
      expect(await after(1, used(0.8))).toEqual(['0:2'])
      expect(await after(20, used(0.8))).toEqual([])
    })
    test('of what is used does not count what a reservation held and gave back while nobody looked', async () => {
      const recurrence: Recurrence = { every: 'day', rollover: 0 }
      await reserve({ ceiling: 60, recurrence, ttlMs: 30 * 3_600_000 })
      expect(await look(used(0.5))).toEqual([])
      clock.now += 3 * DAY
      expect(await after(49, used(0.5))).toEqual([])
      expect(await after(1, used(0.5))).toEqual(['0:1'])
    })
    test('of little that is used begins anew as well', async () => {
      await give(100)
      expect(await after(5, used(0.05))).toEqual(['0:1'])
      await give(5)
      expect(await look(used(0.05))).toEqual([])
      expect(await after(5, used(0.05))).toEqual(['0:2'])
    })
  })

  describe('a top-up', () => {
    test('is asked for at once of an account that was never above', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
    })
    test('is not asked for at its level', async () => {
      await give(20)
      expect(await look(topUp(20))).toEqual([])
      expect(await after(1, topUp(20))).toEqual(['0:1'])
    })
    test('is asked for again after `retryMs` while the balance is still below, and not a ms before, with its number', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
      for (let i = 0; i < 3; i++) {
        clock.now += 59_999
        expect(await look(topUp(20))).toEqual([])
        clock.now += 1
        expect(await look(topUp(20))).toEqual(['0:1'])
        expect(await look(topUp(20))).toEqual([])
      }
    })
    test('that has come is over: the next one has the next number', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
      await grant({ grant: 'auto-top-up:1', amount: 100 })
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual([])
      expect(await after(81, topUp(20))).toEqual(['0:2'])
    })
    test('that has failed, which a grant of 0 says, is asked for again after `retryMs` with the next number', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
      expect(await grant({ grant: 'auto-top-up:1', amount: 0 })).toEqual({ kind: 'granted', amount: 0, replayed: false, ...standing(0, 0) })
      expect(await look(topUp(20))).toEqual([])
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual(['0:2'])
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual(['0:2'])
      expect(await grant({ grant: 'auto-top-up:1', amount: 100 })).toMatchObject({ kind: 'grant_conflict', amount: 0 })
    })
    test('that brought too little is asked for again after `retryMs` with the next number', async () => {
      await look(topUp(100))
      await grant({ grant: 'auto-top-up:1', amount: 50 })
      expect(await look(topUp(100))).toEqual([])
      clock.now += 60_000
      expect(await look(topUp(100))).toEqual(['0:2'])
    })
    test('that is under way keeps its number when other credits came and went', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
      await give(100)
      expect(await after(90, topUp(20))).toEqual(['0:1'])
      await grant({ grant: 'auto-top-up:2', amount: 4 })
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual(['0:1'])
      await grant({ grant: 'auto-top-up:1', amount: 4 })
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual(['0:2'])
      clock.now += 60_000
      expect(await look(topUp(20))).toEqual(['0:3'])
    })
    test('is one of its account, whatever its level', async () => {
      expect(await look(topUp(20))).toEqual(['0:1'])
      expect(await look(topUp(50))).toEqual([])
      clock.now += 60_000
      expect(await look(topUp(50))).toEqual(['0:1'])
    })
    test('is told anew to the same watch under its new number', async () => {
      const thresholds = [topUp(20)]
      expect(told(await rig.watch({ thresholds }))).toEqual(['0:1'])
      await grant({ grant: 'auto-top-up:1', amount: 100 })
      expect(told(await rig.watch({ thresholds }))).toEqual([])
      await use(90)
      expect(told(await rig.watch({ thresholds }))).toEqual(['0:2'])
    })
    test('is asked for once by 1,000 looks at a time, and once more after `retryMs`', async () => {
      for (const number of [1, 1, 1]) {
        const replies = await Promise.all(Array.from({ length: 1_000 }, () => look(topUp(20))))
        expect(replies.flat()).toEqual([`0:${number}`])
        clock.now += 60_000
      }
    })
  })
}
