import { CLOSED_KEPT_MS, MAX_AMOUNT, type LedgerEntry } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { testAllowance } from './store-allowance.js'
import { testBudgets } from './store-budgets.js'
import { testGrants } from './store-grants.js'
import { testJournal } from './store-journal.js'
import { testKeys } from './store-keys.js'
import { testOperations } from './store-operations.js'
import { testRefunds } from './store-refunds.js'
import { DAY, ODD_TEXTS, rig, standing, TODAY, type MakeStore } from './store-rig.js'
import { testShared } from './store-shared.js'
import { testThresholds } from './store-thresholds.js'

/** Every rule of the ledger, for a store. */
export function testStore(name: string, makeStore: MakeStore): void {
  describe(name, () => {
    const store = rig(makeStore)
    testKeys(store)
    testGrants(store)
    testRefunds(store)
    testAllowance(store)
    testBudgets(store)
    testThresholds(store)
    testOperations(store)
    testShared(store)
    testJournal(store)
    const { clock, reserve, settle, release, extend, grant, balance, usage, entries } = store

    describe('reserve', () => {
      test('grants no more of the allowance than can be counted', async () => {
        await grant({ amount: MAX_AMOUNT - 10 })
        expect(await reserve()).toMatchObject(standing(MAX_AMOUNT, 30))
        expect((await entries()).entries.map(({ amount }) => amount)).toEqual([MAX_AMOUNT - 10, 10])
        expect((await reserve({ reservation: 'r2' })).balance).toBe(MAX_AMOUNT)
      })

      test('grants the allowance on the first call only, and sets the ceiling aside', async () => {
        expect(await reserve()).toEqual({ kind: 'reserved', reservedAt: clock.now, expiresAt: clock.now + 60_000, ...standing(100, 30) })
        expect(await reserve({ reservation: 'r2' })).toEqual({ kind: 'reserved', reservedAt: clock.now, expiresAt: clock.now + 60_000, ...standing(100, 60) })
      })
      test('grants the allowance on top of a grant that came earlier', async () => {
        await grant()
        expect(await reserve()).toMatchObject(standing(150, 30))
      })
      test('grants the allowance although the call can not be covered', async () => {
        expect(await reserve({ ceiling: 101 })).toEqual({ kind: 'insufficient', required: 101, now: clock.now, freesAt: 0, ...standing(100, 0) })
        expect(await reserve({ allowance: 1_000 })).toMatchObject(standing(100, 30))
      })
      test('posts no entry for an allowance of 0, and still only the first call provisions', async () => {
        expect(await reserve({ allowance: 0 })).toEqual({ kind: 'insufficient', required: 30, now: clock.now, freesAt: 0, ...standing(0, 0) })
        expect(await reserve()).toMatchObject({ kind: 'insufficient' })
        expect((await entries()).entries).toEqual([])
      })
      test('takes exactly what is available and not one more', async () => {
        await reserve({ ceiling: 99 })
        expect(await reserve({ reservation: 'r2', ceiling: 2 })).toEqual({ kind: 'insufficient', required: 2, now: clock.now, freesAt: clock.now + 60_000, ...standing(100, 99) })
        expect(await reserve({ reservation: 'r3', ceiling: 1 })).toMatchObject({ kind: 'reserved', ...standing(100, 100) })
      })
      test('of nothing is possible with nothing', async () => {
        expect(await reserve({ ceiling: 0, allowance: 0 })).toMatchObject({ kind: 'reserved', ...standing(0, 0) })
      })
      test('sent again says the same, also after an extend', async () => {
        await reserve()
        const first = clock.now
        clock.now += 10
        await extend()
        clock.now += 10
        expect(await reserve()).toEqual({ kind: 'reserved', reservedAt: first, expiresAt: first + 60_010, ...standing(100, 30) })
      })
      test('of an id that is taken for another ceiling, or has ended, is a conflict', async () => {
        await reserve()
        expect(await reserve({ ceiling: 31 })).toEqual({ kind: 'conflict', ...standing(100, 30) })
        await settle()
        expect(await reserve()).toEqual({ kind: 'conflict', ...standing(80, 0) })
      })
      test('of an id forgotten after CLOSED_KEPT_MS is a new reservation', async () => {
        await reserve()
        await release()
        clock.now += CLOSED_KEPT_MS - 1
        expect(await reserve()).toMatchObject({ kind: 'conflict' })
        clock.now += 1
        expect(await reserve()).toMatchObject({ kind: 'reserved', reservedAt: clock.now })
      })
    })

    describe('settle', () => {
      test('charges, frees the rest and counts usage', async () => {
        await reserve()
        expect(await settle()).toEqual({ kind: 'settled', ceiling: 30, charge: 20, shortfall: 0, late: false, ...standing(80, 0) })
        expect(await usage()).toEqual({ kind: 'usage', today: TODAY, rows: [{ day: TODAY, product: 'personas', calls: 1, charged: 20, refunded: 0 }] })
      })
      test('never charges more than the ceiling that was reserved', async () => {
        await reserve()
        expect(await settle({ charge: 31, ceiling: 99 })).toMatchObject({ ceiling: 30, charge: 30, ...standing(70, 0) })
      })
      test('of zero moves no balance, posts no entry and counts the call', async () => {
        await reserve()
        expect(await settle({ charge: 0 })).toMatchObject({ kind: 'settled', charge: 0, ...standing(100, 0) })
        expect((await entries()).entries).toHaveLength(1)
        expect((await usage()).rows).toEqual([{ day: TODAY, product: 'personas', calls: 1, charged: 0, refunded: 0 }])
      })
      test('sent again, or followed by a release, says how it ended first', async () => {
        await reserve()
        const first = await settle()
        clock.now += CLOSED_KEPT_MS - 1
        expect(await settle()).toEqual(first)
        expect(await settle({ charge: 5, product: 'other', firstSentAt: 0 })).toEqual(first)
        expect(await release()).toEqual(first)
        expect((await usage()).rows).toEqual([{ day: TODAY, product: 'personas', calls: 1, charged: 20, refunded: 0 }])
      })
      test('after expiry charges late what is available and records the rest as a shortfall, once', async () => {
        await reserve({ ceiling: 80 })
        clock.now += 60_000
        await reserve({ reservation: 'r2', ceiling: 70 })
        const late = await settle({ ceiling: 80, charge: 75 })
        expect(late).toEqual({ kind: 'settled', ceiling: 80, charge: 30, shortfall: 45, late: true, ...standing(70, 70) })
        expect(await settle({ ceiling: 80, charge: 75 })).toEqual(late)
        expect((await entries()).entries.at(-1)).toEqual(
          { id: '2', at: clock.now, kind: 'charge', amount: -30, balance: 70, reference: 'r1', label: 'personas', shortfall: 45, lots: [], details: '' })
        expect((await usage()).rows).toEqual([{ day: TODAY, product: 'personas', calls: 1, charged: 30, refunded: 0 }])
      })
      test('late against nothing records all of it as a shortfall', async () => {
        expect(await settle()).toEqual({ kind: 'settled', ceiling: 30, charge: 0, shortfall: 20, late: true, ...standing(0, 0) })
        expect((await entries()).entries).toEqual(
          [{ id: '1', at: clock.now, kind: 'charge', amount: 0, balance: 0, reference: 'r1', label: 'personas', shortfall: 20, lots: [], details: '' }])
      })
      test('late is held to the ceiling it names', async () => {
        await grant()
        expect(await settle({ charge: 31 })).toMatchObject({ ceiling: 30, charge: 30, late: true })
      })
      test('sent again is not charged twice when the clock is put back after it was forgotten', async () => {
        const firstSentAt = clock.now
        await reserve()
        await settle()
        clock.now += CLOSED_KEPT_MS
        await balance()
        clock.now -= CLOSED_KEPT_MS
        const again = await settle({ firstSentAt })
        expect(again).toEqual({ kind: 'unknown', now: firstSentAt + CLOSED_KEPT_MS, ...standing(80, 0) })
        // Whoever knows that it was not charged sends it as of then.
        expect(await settle({ reservation: 'r2', firstSentAt: firstSentAt + CLOSED_KEPT_MS })).toMatchObject({ kind: 'settled', late: true, charge: 20 })
      })
      test('first sent CLOSED_KEPT_MS ago for an id that is not remembered is unknown and moves nothing', async () => {
        await reserve()
        const firstSentAt = clock.now
        await settle()
        clock.now += CLOSED_KEPT_MS
        expect(await settle({ firstSentAt })).toEqual({ kind: 'unknown', now: clock.now, ...standing(80, 0) })
        expect(await settle({ firstSentAt: firstSentAt + 1 })).toMatchObject({ kind: 'settled', late: true })
      })
    })

    describe('release', () => {
      test('frees everything and is remembered', async () => {
        await reserve()
        const first = await release()
        expect(first).toEqual({ kind: 'released', ceiling: 30, charge: 0, shortfall: 0, late: false, ...standing(100, 0) })
        expect(await release()).toEqual(first)
        expect(await settle()).toEqual(first)
        expect((await usage()).rows).toEqual([])
      })
      test('of an id that never was closes it, so that a delayed reserve holds nothing', async () => {
        expect(await release()).toMatchObject({ kind: 'released', ceiling: 0 })
        expect(await reserve()).toEqual({ kind: 'conflict', ...standing(0, 0) })
      })
    })

    describe('extend', () => {
      test('moves the deadline, never to an earlier time', async () => {
        await reserve()
        clock.now += 1_000
        expect(await extend()).toEqual({ kind: 'extended', expiresAt: clock.now + 60_000, ...standing(100, 30) })
        expect(await extend({ ttlMs: 1 })).toEqual({ kind: 'extended', expiresAt: clock.now + 60_000, ...standing(100, 30) })
        clock.now += 59_999
        expect(await balance()).toMatchObject(standing(100, 30))
        clock.now += 1
        expect(await balance()).toMatchObject(standing(100, 0))
      })
      test('of what has ended, expired or never was is gone', async () => {
        expect(await extend()).toEqual({ kind: 'gone', ...standing(0, 0) })
        await reserve()
        await release()
        expect(await extend()).toMatchObject({ kind: 'gone' })
        await reserve({ reservation: 'r2' })
        clock.now += 60_000
        expect(await extend({ reservation: 'r2' })).toEqual({ kind: 'gone', ...standing(100, 0) })
      })
    })

    describe('expiry', () => {
      test('gives the credits back at the deadline, to whatever command comes first', async () => {
        await reserve({ ceiling: 100 })
        clock.now += 59_999
        expect(await reserve({ reservation: 'r2' })).toMatchObject({ kind: 'insufficient' })
        clock.now += 1
        expect(await reserve({ reservation: 'r2' })).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
      })
      test('of some leaves the others', async () => {
        await reserve({ ttlMs: 10 })
        await reserve({ reservation: 'r2', ttlMs: 30 })
        await reserve({ reservation: 'r3', ttlMs: 20 })
        clock.now += 10
        expect(await balance()).toMatchObject(standing(100, 60))
        clock.now += 10
        expect(await balance()).toMatchObject(standing(100, 30))
        clock.now += 10
        expect(await balance()).toMatchObject(standing(100, 0))
      })
      test('of many at once gives all back', async () => {
        await Promise.all(Array.from({ length: 5_000 }, (_, i) => reserve({ reservation: `r${i}`, ceiling: 1, allowance: 6_000, ttlMs: 10 })))
        expect(await balance()).toMatchObject(standing(6_000, 5_000))
        clock.now += 10
        expect(await balance()).toMatchObject(standing(6_000, 0))
      })
    })

    describe('grant', () => {
      test('adds once an id', async () => {
        expect(await grant()).toEqual({ kind: 'granted', amount: 50, replayed: false, ...standing(50, 0) })
        clock.now += 365 * DAY
        expect(await grant({ reason: 'again' })).toEqual({ kind: 'granted', amount: 50, replayed: true, ...standing(50, 0) })
        expect((await entries()).entries).toHaveLength(1)
      })
      test('of another amount under the same id is a conflict', async () => {
        await grant()
        expect(await grant({ amount: 51 })).toEqual({ kind: 'grant_conflict', amount: 50, ...standing(50, 0) })
      })
      test('is exact up to 2^53 − 1 and refused above', async () => {
        expect(await grant({ amount: MAX_AMOUNT })).toMatchObject(standing(9_007_199_254_740_991, 0))
        expect(await grant({ grant: 'g2', amount: 1 })).toEqual({ kind: 'grant_overflow', ...standing(MAX_AMOUNT, 0) })
        expect(await reserve({ ceiling: MAX_AMOUNT, allowance: 0 })).toMatchObject(standing(MAX_AMOUNT, MAX_AMOUNT))
        expect(await settle({ charge: MAX_AMOUNT - 1 })).toMatchObject({ charge: MAX_AMOUNT - 1, ...standing(1, 0) })
        expect((await usage()).rows[0]).toMatchObject({ charged: 9_007_199_254_740_990 })
        expect((await entries()).entries.map(({ amount }) => amount)).toEqual([MAX_AMOUNT, -9_007_199_254_740_990])
        expect(await grant({ grant: 'g3', amount: 123_456_789_012_345 })).toMatchObject(standing(123_456_789_012_346, 0))
      })
      test('refused for overflow can be given later', async () => {
        await grant({ amount: MAX_AMOUNT })
        await grant({ grant: 'g2', amount: 10 })
        await reserve({ allowance: 0 })
        await settle()
        expect(await grant({ grant: 'g2', amount: 10 })).toMatchObject({ kind: 'granted', replayed: false })
      })
    })

    describe('usage', () => {
      const settleOn = async (day: number, product: string, charge: number) => {
        clock.now = day * DAY + 5
        const reservation = `${day} ${product} ${charge}`
        await reserve({ reservation, allowance: 1_000 })
        await settle({ reservation, product, charge })
      }
      const rows = async () => (await usage()).rows.map(({ day, product, calls, charged }) => `${day} ${product} ${calls} ${charged}`).sort()

      test('sums calls and credits by day and product', async () => {
        await settleOn(TODAY, 'a', 1)
        await settleOn(TODAY, 'b', 2)
        await settleOn(TODAY, 'a', 3)
        await settleOn(TODAY + 1, 'a', 4)
        expect(await rows()).toEqual([`${TODAY} a 2 4`, `${TODAY} b 1 2`, `${TODAY + 1} a 1 4`])
      })
      test('tells apart products of which one is the beginning or the end of another', async () => {
        for (const product of ['search', 'a search', 'search a', 'sea', 'arch', 'search=1']) await settleOn(TODAY, product, 1)
        await settleOn(TODAY, 'search', 2)
        expect(await rows()).toHaveLength(6)
        expect(await rows()).toContain(`${TODAY} search 2 3`)
      })
      test('shows thirty days, today included, and a settle on a later day drops the rest', async () => {
        await settleOn(TODAY, 'a', 1)
        await settleOn(TODAY + 1, 'a', 2)
        clock.now = (TODAY + 29) * DAY
        expect(await rows()).toEqual([`${TODAY} a 1 1`, `${TODAY + 1} a 1 2`])
        clock.now = (TODAY + 30) * DAY
        expect(await rows()).toEqual([`${TODAY + 1} a 1 2`])
        await settleOn(TODAY + 30, 'a', 3)
        expect(await rows()).toEqual([`${TODAY + 1} a 1 2`, `${TODAY + 30} a 1 3`])
      })
      test('is empty for whoever has none', async () => {
        expect(await usage()).toEqual({ kind: 'usage', today: TODAY, rows: [] })
      })
    })

    describe('entries', () => {
      test('are in order, with the balance after each, and add up to the balance', async () => {
        await grant()
        clock.now += 1
        await reserve()
        clock.now += 1
        await settle()
        expect((await entries()).entries).toEqual([
          { id: '1', at: clock.now - 2, kind: 'grant', amount: 50, balance: 50, reference: 'g1', label: 'top-up', shortfall: 0, lots: [{ grant: 'g1', amount: 50, priority: 50, expiresAt: 0, source: 'top-up' }], details: '' },
          { id: '2', at: clock.now - 1, kind: 'grant', amount: 100, balance: 150, reference: 'allowance', label: 'allowance', shortfall: 0, lots: [{ grant: 'allowance', amount: 100, priority: 50, expiresAt: 0, source: 'allowance' }], details: '' },
          { id: '3', at: clock.now, kind: 'charge', amount: -20, balance: 130, reference: 'r1', label: 'personas', shortfall: 0, lots: [], details: '' },
        ] satisfies LedgerEntry[])
      })
      test('can be read a page at a time', async () => {
        for (let i = 1; i <= 5; i++) await grant({ grant: `g${i}`, amount: i })
        const page = async (after: string, limit: number) => (await entries({ after, limit })).entries.map(({ id, amount }) => [id, amount])
        expect(await page('', 2)).toEqual([['1', 1], ['2', 2]])
        expect(await page('2', 2)).toEqual([['3', 3], ['4', 4]])
        expect(await page('4', 2)).toEqual([['5', 5]])
        expect(await page('5', 2)).toEqual([])
        expect(await page('', 0)).toEqual([])
      })
    })

    describe('names', () => {
      test('of accounts never share a balance', async () => {
        await Promise.all(ODD_TEXTS.map((account, i) => grant({ account, amount: i + 1 })))
        expect((await Promise.all(ODD_TEXTS.map((account) => balance(account)))).map((reply) => reply.balance)).toEqual(ODD_TEXTS.map((_, i) => i + 1))
      })
      test('of reservations, products, grants and reasons come back as they were given', async () => {
        for (const text of ODD_TEXTS) {
          await grant({ grant: text, reason: text })
          await reserve({ reservation: text })
          await settle({ reservation: text, product: text, charge: 1 })
        }
        const { rows } = await usage()
        expect(new Map(rows.map(({ product, calls }) => [product, calls]))).toEqual(new Map(ODD_TEXTS.map((text) => [text, 1])))
        const posted = (await entries()).entries.filter(({ reference }) => reference !== 'allowance').map(({ reference, label }) => [reference, label])
        expect(posted).toEqual(ODD_TEXTS.flatMap((text) => [[text, text], [text, text]]))
      })
      test('of another account see nothing of this one', async () => {
        await reserve()
        await settle()
        expect(await extend({ account: 'bob' })).toMatchObject({ kind: 'gone' })
        expect((await usage('bob')).rows).toEqual([])
        expect((await entries({ account: 'bob' })).entries).toEqual([])
      })
    })

    describe('commands sent at the same time', () => {
      test('of one account take effect in the order in which they were sent', async () => {
        const [reserved, extended, settled, again, read, used, posted] =
          await Promise.all([reserve(), extend({ ttlMs: 90_000 }), settle(), settle({ charge: 5 }), balance(), usage(), entries()])
        expect(reserved).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
        expect(extended).toMatchObject({ kind: 'extended', expiresAt: clock.now + 90_000 })
        expect(settled).toMatchObject({ kind: 'settled', charge: 20, ...standing(80, 0) })
        expect(again).toEqual(settled)
        expect(read).toMatchObject(standing(80, 0))
        expect(used.rows).toMatchObject([{ calls: 1, charged: 20 }])
        expect(posted.entries.map(({ amount }) => amount)).toEqual([100, -20])
      })
      test('of many accounts each get their own reply', async () => {
        const accounts = Array.from({ length: 400 }, (_, i) => `account ${i}`)
        const replies = await Promise.all(accounts.map((account, i) => grant({ account, amount: i + 1 })))
        expect(replies.map((reply) => reply.balance)).toEqual(accounts.map((_, i) => i + 1))
      })
      test('never let through more than there is: of 20 calls of 75 against 500, exactly 6', async () => {
        const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => reserve({ reservation: `r${i}`, ceiling: 75, allowance: 500 })))
        expect(replies.filter(({ kind }) => kind === 'reserved')).toHaveLength(6)
        expect(await balance()).toMatchObject(standing(500, 450))
      })
    })
  })
}
