import { CLOSED_KEPT_MS, MAX_AMOUNT } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, standing, TODAY, type Rig } from './store-rig.js'

/** The rules of refunds. */
export function testRefunds(rig: Rig): void {
  describe('a refund', () => {
    const { clock, reserve, settle, grant, refund, balance, usage, entries, hold, finish } = rig
    const use = async (reservation: string, charge: number, allowance = 0) => {
      await reserve({ reservation, ceiling: charge, allowance })
      await settle({ reservation, ceiling: charge, charge })
    }
    const last = async () => (await entries()).entries.at(-1)!
    /** Which lots the next credits come from, and how many of them: by charging all there is. */
    const kept = async () => {
      const { available } = await balance()
      await use('all', available)
      return (await last()).lots.map(({ grant, amount, source }) => [grant, amount, source])
    }
    /** Charges 90 of 30 credits each: `a`, which end after `endsIn` ms, plain ones, and `z` of a late turn. Its entry is the fourth. */
    const threeKinds = async (endsIn = 1_000) => {
      await grant({ grant: 'z', amount: 30, priority: 90, source: 'bonus' })
      await grant({ grant: 'plain', amount: 30 })
      await grant({ grant: 'a', amount: 30, expiresAt: clock.now + endsIn, source: 'promotion' })
      await use('r1', 90)
    }
    const of4 = { entry: '4' }

    test('of no stated amount gives back the whole charge, with an entry', async () => {
      await use('r1', 20, 100)
      clock.now += 5
      expect(await refund()).toEqual({ kind: 'refunded', amount: 20, replayed: false, left: 0, ...standing(100, 0) })
      expect(await last()).toEqual({ id: '3', at: clock.now, kind: 'refund', amount: 20, balance: 100, reference: 'r1', label: 'broken', shortfall: 0, lots: [], details: '' })
    })
    test('gives back a part, and the next one what is left', async () => {
      await use('r1', 20, 100)
      expect(await refund({ amount: 5 })).toEqual({ kind: 'refunded', amount: 5, replayed: false, left: 15, ...standing(85, 0) })
      expect(await refund({ refund: 'f2', amount: 5 })).toMatchObject({ left: 10, ...standing(90, 0) })
      expect(await refund({ refund: 'f3' })).toMatchObject({ amount: 10, left: 0, ...standing(100, 0) })
    })
    test('never gives back more than was charged', async () => {
      await use('r1', 20, 100)
      expect(await refund({ amount: 21 })).toEqual({ kind: 'refund_too_high', left: 20, ...standing(80, 0) })
      await refund({ amount: 15 })
      expect(await refund({ refund: 'f2', amount: 6 })).toEqual({ kind: 'refund_too_high', left: 5, ...standing(95, 0) })
      await refund({ refund: 'f2', amount: 5 })
      for (const amount of [0, 1]) expect(await refund({ refund: 'f3', amount })).toEqual({ kind: 'refund_too_high', left: 0, ...standing(100, 0) })
      expect((await entries()).entries).toHaveLength(4)
    })
    test('too high has not used its id', async () => {
      await use('r1', 20, 100)
      await refund({ amount: 21 })
      expect(await refund({ amount: 20 })).toMatchObject({ kind: 'refunded', replayed: false })
    })
    test('of the same id and amount gives back nothing again and says so, however long ago', async () => {
      await use('r1', 20, 100)
      await refund({ amount: 5 })
      clock.now += 365 * DAY
      for (const amount of [5, 0]) expect(await refund({ amount })).toEqual({ kind: 'refunded', amount: 5, replayed: true, left: 15, ...standing(85, 0) })
      await refund({ refund: 'f2' })
      expect(await refund({ refund: 'f2' })).toMatchObject({ amount: 15, replayed: true, left: 0, ...standing(100, 0) })
      expect(await refund({ refund: 'f2', amount: 15 })).toMatchObject({ amount: 15, replayed: true })
      expect((await entries()).entries).toHaveLength(4)
    })
    test('of the same id and another amount is a conflict', async () => {
      await use('r1', 20, 100)
      await refund({ amount: 5 })
      for (const amount of [4, 6, 100]) expect(await refund({ amount })).toEqual({ kind: 'refund_conflict', amount: 5, ...standing(85, 0) })
    })
    test('of the same id but of another charge is another one', async () => {
      await use('r1', 20, 100)
      await use('r2', 10)
      await refund({ amount: 5 })
      expect(await refund({ reservation: 'r2', entry: '3', amount: 5 })).toMatchObject({ kind: 'refunded', replayed: false, left: 5, ...standing(80, 0) })
    })
    test('does not give back a shortfall', async () => {
      await grant({ amount: 15 })
      await settle()
      expect(await refund({ amount: 16 })).toMatchObject({ kind: 'refund_too_high', left: 15 })
      expect(await refund()).toMatchObject({ amount: 15, left: 0, ...standing(15, 0) })
    })
    test('of a charge that could take nothing is too high', async () => {
      await settle()
      for (const amount of [0, 1]) expect(await refund({ entry: '1', amount })).toEqual({ kind: 'refund_too_high', left: 0, ...standing(0, 0) })
    })
    test.each(['1', '3', '5', '0', '', '-1', 'x', '2.0', '02', ' 2', '0x2', '9007199254740993', '99999999999999999999999'])(
      'of an entry that is not a charge of its reservation is none (%s)', async (entry) => {
        await use('r1', 20, 100)
        await use('r2', 20)
        await refund()
        expect(await refund({ refund: 'f2', entry, amount: 1 })).toEqual({ kind: 'no_charge', ...standing(80, 0) })
      })
    test('of an account without entries, of another account or of a reservation without a charge is none', async () => {
      expect(await refund()).toEqual({ kind: 'no_charge', ...standing(0, 0) })
      await use('r1', 20, 100)
      expect(await refund({ account: 'bob' })).toEqual({ kind: 'no_charge', ...standing(0, 0) })
      expect(await refund({ reservation: '' })).toEqual({ kind: 'no_charge', ...standing(80, 0) })
    })
    test('is possible when its reservation is long forgotten', async () => {
      await use('r1', 20, 100)
      clock.now += CLOSED_KEPT_MS + 400 * DAY
      expect(await refund()).toMatchObject({ kind: 'refunded', amount: 20, ...standing(100, 0) })
    })
    test('of one of two charges of a reservation, which was charged again when it was forgotten, gives back no more than that', async () => {
      await use('r1', 20, 100)
      clock.now += CLOSED_KEPT_MS
      await settle({ charge: 5 })
      await refund()
      expect(await refund({ refund: 'f2', entry: '3' })).toEqual({ kind: 'refund_too_high', left: 0, ...standing(95, 0) })
    })
    test('of an operation gives back its charge', async () => {
      await reserve()
      await hold()
      await finish()
      expect(await refund()).toMatchObject({ amount: 20, ...standing(100, 0) })
    })

    test('restores the grants that its charge came from', async () => {
      await threeKinds()
      expect(await refund(of4)).toMatchObject({ amount: 90, ...standing(90, 0) })
      expect(await kept()).toEqual([['a', 30, 'promotion'], ['z', 30, 'bonus']])
    })
    test('gives back first what was used last', async () => {
      await threeKinds()
      for (const [i, amount] of [20, 20, 10].entries()) await refund({ ...of4, refund: `f${i}`, amount })
      expect(await kept()).toEqual([['z', 30, 'bonus']])
      expect((await last()).amount).toBe(-50)
    })
    test('goes on where the one before it stopped', async () => {
      await threeKinds()
      for (const [i, amount] of [20, 45, 5].entries()) await refund({ ...of4, refund: `f${i}`, amount })
      expect(await kept()).toEqual([['a', 10, 'promotion'], ['z', 30, 'bonus']])
    })
    test('restores credits that end when their grant does', async () => {
      await threeKinds()
      await refund(of4)
      clock.now += 999
      expect(await balance()).toMatchObject(standing(90, 0))
      clock.now += 1
      expect(await balance()).toMatchObject(standing(60, 0))
      expect(await last()).toMatchObject({ kind: 'expiry', at: clock.now, amount: -30, reference: 'a', label: 'promotion' })
    })
    test('of what came from a grant that has ended gives back plain credits, which do not end', async () => {
      await threeKinds()
      clock.now += 1_000
      expect(await refund(of4)).toMatchObject({ amount: 90, ...standing(90, 0) })
      clock.now += 365 * DAY
      expect(await balance()).toMatchObject(standing(90, 0))
      expect(await kept()).toEqual([['z', 30, 'bonus']])
    })
    test('adds to what is left of a grant', async () => {
      await grant({ expiresAt: clock.now + 1_000 })
      await use('r1', 20)
      await use('r2', 10)
      await refund({ amount: 15 })
      expect(await kept()).toEqual([['g1', 35, 'top-up']])
    })
    test('into a grant that ends soon leaves what a reservation holds of it alone', async () => {
      await grant({ expiresAt: clock.now + 1_000 })
      await use('r1', 20)
      await reserve({ reservation: 'r2', ceiling: 30, allowance: 0 })
      expect(await refund()).toMatchObject(standing(50, 30))
      clock.now += 1_000
      expect(await balance()).toMatchObject(standing(30, 30))
      expect(await settle({ reservation: 'r2', charge: 30 })).toMatchObject(standing(0, 0))
    })
    test('into a grant that has ended and is still held comes back as plain credits', async () => {
      await grant({ expiresAt: clock.now + 1_000 })
      await use('r1', 20)
      await reserve({ reservation: 'r2', ceiling: 30, allowance: 0 })
      clock.now += 1_000
      await refund()
      await rig.release({ reservation: 'r2' })
      expect(await balance()).toMatchObject(standing(20, 0))
      expect(await kept()).toEqual([])
    })
    test('into a grant that was all held when its account was swept ends with it', async () => {
      await grant({ expiresAt: clock.now + 90_000 })
      await use('r1', 20)
      await reserve({ reservation: 'short', ceiling: 0, ttlMs: 60_000 })
      await reserve({ reservation: 'r2', ceiling: 30, ttlMs: 600_000, allowance: 0 })
      clock.now += 60_000
      await refund()
      clock.now += 30_000
      expect(await balance()).toMatchObject(standing(30, 30))
    })

    test('is seen in the usage of its product on its day, beside the charge on that of the charge', async () => {
      await use('r1', 20, 100)
      await refund({ amount: 5 })
      clock.now += DAY
      await refund({ refund: 'f2', amount: 7 })
      await refund({ refund: 'f3', amount: 8 })
      expect(await usage()).toEqual({ kind: 'usage', today: TODAY + 1, rows: [
        { day: TODAY, product: 'personas', calls: 1, charged: 20, refunded: 5 },
        { day: TODAY + 1, product: 'personas', calls: 0, charged: 0, refunded: 15 },
      ] })
    })
    test('and a charge after it are both counted', async () => {
      await use('r1', 20, 100)
      await refund()
      await use('r2', 10)
      await settle({ reservation: 'r3', product: 'personas 2', charge: 1 })
      expect((await usage()).rows).toEqual([
        { day: TODAY, product: 'personas', calls: 2, charged: 30, refunded: 20 },
        { day: TODAY, product: 'personas 2', calls: 1, charged: 1, refunded: 0 },
      ])
    })
    test('sent again is not counted again', async () => {
      await use('r1', 20, 100)
      for (let i = 0; i < 3; i++) await refund()
      expect((await usage()).rows).toMatchObject([{ refunded: 20 }])
    })

    test('is exact up to 2^53 − 1, and refused where the balance would pass it', async () => {
      await grant({ amount: MAX_AMOUNT, expiresAt: clock.now + 1_000 })
      await use('r1', MAX_AMOUNT)
      expect(await refund({ amount: MAX_AMOUNT - 1 })).toMatchObject({ left: 1, ...standing(MAX_AMOUNT - 1, 0) })
      expect((await usage()).rows).toMatchObject([{ charged: MAX_AMOUNT, refunded: 9_007_199_254_740_990 }])
      await grant({ grant: 'g2', amount: 1 })
      expect(await refund({ refund: 'f2' })).toEqual({ kind: 'refund_overflow', ...standing(MAX_AMOUNT, 0) })
      await use('r2', 1)
      expect(await refund({ refund: 'f2' })).toMatchObject({ kind: 'refunded', replayed: false, amount: 1, ...standing(MAX_AMOUNT, 0) })
    })
    test('can have any text as its id, reservation and reason', async () => {
      await grant({ amount: 1_000 })
      for (const [i, text] of ODD_TEXTS.entries()) {
        await use(text, 2)
        const entry = String(2 + 3 * i)
        for (const id of [text, `${text}.`]) expect(await refund({ refund: id, reservation: text, entry, amount: 1, reason: text })).toMatchObject({ kind: 'refunded', replayed: false })
        expect(await refund({ refund: text, reservation: text, entry, amount: 1 })).toMatchObject({ replayed: true, left: 0 })
        expect(await last()).toMatchObject({ kind: 'refund', reference: text, label: text })
      }
      expect(await balance()).toMatchObject(standing(1_000, 0))
    })
    test('of a charge on 200 grants restores each', async () => {
      await Promise.all(Array.from({ length: 200 }, (_, i) => grant({ grant: `g${i}`, amount: 1, priority: 10 + i })))
      await use('r1', 200)
      await refund({ entry: '201', amount: 150 })
      expect((await kept()).map(([id]) => id)).toEqual(Array.from({ length: 150 }, (_, i) => `g${50 + i}`))
    })
    test('is sent with its charge and its grant in one go', async () => {
      const expiresAt = clock.now + 1_000
      const [, , , part, again, conflict, rest, high, read] = await Promise.all([
        grant({ expiresAt }), reserve({ ceiling: 40, allowance: 0 }), settle({ charge: 40 }),
        refund({ amount: 10 }), refund({ amount: 10 }), refund({ amount: 11 }), refund({ refund: 'f2' }), refund({ refund: 'f3' }), balance(),
      ])
      expect(part).toMatchObject({ kind: 'refunded', amount: 10, left: 30, ...standing(20, 0) })
      expect(again).toMatchObject({ replayed: true, left: 30 })
      expect(conflict).toMatchObject({ kind: 'refund_conflict' })
      expect(rest).toMatchObject({ kind: 'refunded', amount: 30, left: 0 })
      expect(high).toMatchObject({ kind: 'refund_too_high', left: 0 })
      expect(read).toMatchObject(standing(50, 0))
      clock.now += 1_000
      expect(await balance()).toMatchObject(standing(0, 0))
    })
  })
}
