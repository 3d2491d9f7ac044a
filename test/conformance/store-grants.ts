import { CLOSED_KEPT_MS, MAX_AMOUNT } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, standing, TODAY, type Rig } from './store-rig.js'

const START = TODAY * DAY

/** The rules of grants that end or are used out of turn. */
export function testGrants(rig: Rig): void {
  const { clock, release, extend, grant, balance, usage, entries, hold, finish } = rig
  const reserve = (given: Parameters<typeof rig.reserve>[0] = {}) => rig.reserve({ allowance: 0, ...given })
  const settle = rig.settle
  /** A grant of 50 that ends after `endsIn` ms. */
  const ending = (id: string, endsIn: number, given: Parameters<typeof grant>[0] = {}) =>
    grant({ grant: id, expiresAt: clock.now + endsIn, source: 'promotion', ...given })
  const use = async (reservation: string, charge: number) => {
    await reserve({ reservation, ceiling: charge })
    await settle({ reservation, ceiling: charge, charge })
  }
  const last = async () => (await entries()).entries.at(-1)!
  /** Which lots the last charge was taken from. */
  const taken = async () => (await last()).lots.map(({ grant, amount }) => [grant, amount])
  const expired = async () => (await entries()).entries.flatMap(({ kind, at, amount, reference }) => (kind === 'expiry' ? [[reference, amount, at - START]] : []))

  describe('credits are used', () => {
    test('by the priority of their grant, the lower first', async () => {
      await grant({ grant: 'last', priority: 51 })
      await grant({ grant: 'plain' })
      await grant({ grant: 'first', priority: 49 })
      await grant({ grant: 'zero', priority: 0 })
      await use('r1', 180)
      expect(await taken()).toEqual([['zero', 50], ['first', 50], ['last', 30]])
      expect(await last()).toMatchObject({ amount: -180, balance: 20 })
    })
    test('of one priority, from the grant that ends first, and from those that never end last', async () => {
      await grant({ grant: 'never', priority: 10 })
      await ending('later', 2_000, { priority: 10 })
      await ending('sooner', 1_000, { priority: 10 })
      await use('r1', 130)
      expect(await taken()).toEqual([['sooner', 50], ['later', 50], ['never', 30]])
    })
    test('of one priority and one end, from the oldest grant', async () => {
      for (const id of ['b', 'a', 'c']) await ending(id, 1_000)
      await use('r1', 110)
      expect(await taken()).toEqual([['b', 50], ['a', 50], ['c', 10]])
    })
    test('by priority before the end', async () => {
      await ending('soon', 1_000, { priority: 51 })
      await grant({ grant: 'never', priority: 49 })
      await use('r1', 60)
      expect(await taken()).toEqual([['never', 50], ['soon', 10]])
    })
    test('of an ordinary grant and of the allowance after those of its priority that end', async () => {
      await rig.reserve({ reservation: 'r0', ceiling: 0 })
      await ending('g1', 1_000)
      await use('r1', 40)
      expect(await taken()).toEqual([['g1', 40]])
      await use('r2', 40)
      expect(await taken()).toEqual([['g1', 10]])
      await use('r3', 40)
      expect(await taken()).toEqual([])
      expect(await balance()).toMatchObject(standing(30, 0))
    })
    test('with the terms of their grants in the entry of the charge, whatever the texts', async () => {
      const names = ODD_TEXTS.filter((text) => text !== '')
      const expiresAt = clock.now + 1_000
      for (const name of names) await grant({ grant: name, amount: 2, source: name, priority: 7, expiresAt })
      await grant({ grant: 'empty', amount: 2, source: '', priority: 7, expiresAt })
      await use('r1', 2 * names.length + 1)
      expect((await last()).lots).toEqual([
        ...names.map((name) => ({ grant: name, amount: 2, source: name, priority: 7, expiresAt })),
        { grant: 'empty', amount: 1, source: '', priority: 7, expiresAt },
      ])
    })
    test('by two reservations at a time from different credits', async () => {
      await ending('g1', 1_000)
      await grant({ grant: 'g2' })
      await reserve({ reservation: 'r1', ceiling: 40 })
      await reserve({ reservation: 'r2', ceiling: 40 })
      await settle({ reservation: 'r2', ceiling: 40, charge: 40 })
      expect(await taken()).toEqual([['g1', 10]])
      await settle({ reservation: 'r1', ceiling: 40, charge: 40 })
      expect(await taken()).toEqual([['g1', 40]])
    })
    test('of three grants that a reservation holds in their order, and the rest is free again', async () => {
      await grant({ grant: 'c', amount: 10, priority: 60 })
      await grant({ grant: 'b', amount: 10 })
      await ending('a', 1_000, { amount: 10 })
      await reserve({ ceiling: 30 })
      expect(await reserve({ reservation: 'r2', ceiling: 1 })).toMatchObject({ kind: 'insufficient' })
      await settle({ charge: 15 })
      expect(await taken()).toEqual([['a', 10]])
      expect(await balance()).toMatchObject(standing(15, 0))
      await use('r2', 14)
      expect(await taken()).toEqual([['c', 9]])
    })
    test('in turn by a late charge too, as far as there are any', async () => {
      await reserve({ ceiling: 0, ttlMs: 1 })
      await grant({ grant: 'plain', amount: 10 })
      await ending('g1', 1_000, { amount: 10 })
      await grant({ grant: 'g2', amount: 10, priority: 60 })
      await settle({ reservation: 'late', ceiling: 40, charge: 25 })
      expect(await last()).toMatchObject({ amount: -25, shortfall: 0, lots: [{ grant: 'g1', amount: 10 }, { grant: 'g2', amount: 5 }] })
      await settle({ reservation: 'late 2', ceiling: 40, charge: 25 })
      expect(await last()).toMatchObject({ amount: -5, shortfall: 20, lots: [{ grant: 'g2', amount: 5 }] })
    })
    test('by a late charge, but not those that another reservation holds', async () => {
      await ending('g1', 1_000)
      await grant({ grant: 'g2' })
      await reserve({ ceiling: 30 })
      await settle({ reservation: 'late', ceiling: 100, charge: 100 })
      expect(await last()).toMatchObject({ amount: -70, shortfall: 30, lots: [{ grant: 'g1', amount: 20 }] })
      await settle({ charge: 30 })
      expect(await last()).toMatchObject({ amount: -30, balance: 0, lots: [{ grant: 'g1', amount: 30 }] })
    })
    test('of grants by operations as well', async () => {
      await ending('g1', 1_000, { amount: 20 })
      await grant({ grant: 'g2' })
      await reserve({ ceiling: 30 })
      await hold()
      clock.now += 500_000
      expect(await finish({ charge: 25 })).toMatchObject({ status: 'succeeded', charge: 25, ...standing(45, 0) })
      expect(await taken()).toEqual([['g1', 20]])
    })
    test('exactly, up to 2^53 − 1', async () => {
      await ending('g1', 1_000, { amount: MAX_AMOUNT - 1_001 })
      await grant({ grant: 'g2', amount: 1_000, priority: 90 })
      await grant({ grant: 'g3', amount: 1 })
      await reserve({ ceiling: MAX_AMOUNT })
      expect(await reserve({ reservation: 'r2', ceiling: 1 })).toMatchObject({ kind: 'insufficient', ...standing(MAX_AMOUNT, MAX_AMOUNT) })
      await settle({ ceiling: MAX_AMOUNT, charge: MAX_AMOUNT - 1 })
      expect(await last()).toMatchObject({ amount: 1 - MAX_AMOUNT, balance: 1, lots: [{ grant: 'g1', amount: 9_007_199_254_739_990 }, { grant: 'g2', amount: 999 }] })
    })
    test('of 200 grants in one account', async () => {
      await Promise.all(Array.from({ length: 200 }, (_, i) => ending(`g${i}`, 200 - i, { amount: 1 })))
      await use('r1', 150)
      expect((await taken()).map(([id]) => id)).toEqual(Array.from({ length: 150 }, (_, i) => `g${199 - i}`))
      clock.now += 200
      expect(await balance()).toMatchObject(standing(0, 0))
      expect(await expired()).toEqual(Array.from({ length: 50 }, (_, i) => [`g${49 - i}`, -1, 151 + i]))
    })
  })

  describe('a grant that ends', () => {
    test('counts until the ms before its end, and at its end is gone, with an entry', async () => {
      await grant({ grant: 'plain', amount: 7 })
      await ending('g1', 1_000)
      clock.now += 999
      expect(await balance()).toMatchObject(standing(57, 0))
      clock.now += 1
      expect(await balance()).toMatchObject(standing(7, 0))
      expect(await last()).toEqual({ id: '3', at: clock.now, kind: 'expiry', amount: -50, balance: 7, reference: 'g1', label: 'promotion', shortfall: 0, lots: [], details: '' })
      clock.now += DAY
      expect((await entries()).entries).toHaveLength(3)
    })
    test('has ended at its end, however late somebody looks', async () => {
      await ending('later', 2_000)
      await ending('sooner', 1_000)
      clock.now += 365 * DAY
      expect(await reserve()).toMatchObject({ kind: 'insufficient', freesAt: 0, ...standing(0, 0) })
      expect(await expired()).toEqual([['sooner', -50, 1_000], ['later', -50, 2_000]])
    })
    test('ends although nothing but the entries are read', async () => {
      await ending('g1', 1_000)
      clock.now += 1_000
      expect((await entries()).entries.map(({ kind }) => kind)).toEqual(['grant', 'expiry'])
    })
    test('takes only what is left of it', async () => {
      await ending('g1', 1_000)
      await use('r1', 30)
      clock.now += 1_000
      expect(await balance()).toMatchObject(standing(0, 0))
      expect(await expired()).toEqual([['g1', -20, 1_000]])
    })
    test('and is used up leaves no entry', async () => {
      await ending('g1', 1_000)
      await use('r1', 50)
      clock.now += 1_000
      await balance()
      expect(await expired()).toEqual([])
    })
    test('leaves the reservation that holds of it what it holds', async () => {
      await ending('g1', 1_000)
      await reserve()
      clock.now += 1_000
      expect(await balance()).toMatchObject(standing(30, 30))
      expect(await expired()).toEqual([['g1', -20, 1_000]])
      expect(await settle({ charge: 30 })).toMatchObject({ charge: 30, shortfall: 0, late: false, ...standing(0, 0) })
      expect(await taken()).toEqual([['g1', 30]])
    })
    test('takes what a charge left over', async () => {
      await ending('g1', 1_000)
      await reserve()
      clock.now += 2_000
      expect(await settle({ charge: 20 })).toMatchObject({ charge: 20, ...standing(0, 0) })
      expect(await expired()).toEqual([['g1', -20, 1_000], ['g1', -10, 2_000]])
      expect((await last()).balance).toBe(0)
    })
    test('takes what is released', async () => {
      await ending('g1', 1_000)
      await reserve()
      clock.now += 2_000
      expect(await release()).toMatchObject({ kind: 'released', ...standing(0, 0) })
      expect(await expired()).toEqual([['g1', -20, 1_000], ['g1', -30, 2_000]])
    })
    test('takes what an expired reservation gives back, so that its late charge is short of it', async () => {
      await ending('g1', 1_000)
      await reserve()
      clock.now += 60_000
      expect(await balance()).toMatchObject(standing(0, 0))
      expect(await settle()).toMatchObject({ late: true, charge: 0, shortfall: 20 })
    })
    test('takes what an operation that failed gives back', async () => {
      await ending('g1', 1_000)
      await reserve()
      await hold()
      clock.now += 500_000
      expect(await finish({ succeeded: 0 })).toMatchObject({ status: 'failed', ...standing(0, 0) })
    })
    test('can be used again before, after a release', async () => {
      await ending('g1', 1_000)
      await reserve({ ceiling: 50 })
      await release()
      await use('r2', 50)
      expect(await taken()).toEqual([['g1', 50]])
    })
    test.each(['settle', 'release'])('ends on time although it was all held when its account was swept, and came free by a %s', async (how) => {
      await ending('g1', 90_000)
      await reserve({ reservation: 'short', ceiling: 0, ttlMs: 60_000 })
      await reserve({ ceiling: 50, ttlMs: 600_000 })
      clock.now += 60_000
      await balance()
      await (how === 'settle' ? settle({ ceiling: 50, charge: 10 }) : release())
      clock.now += 29_999
      expect((await balance()).available).toBe(how === 'settle' ? 40 : 50)
      clock.now += 1
      expect(await balance()).toMatchObject(standing(0, 0))
    })
    test('stays held through an extend', async () => {
      await ending('g1', 1_000)
      await grant({ grant: 'plain' })
      await reserve({ ceiling: 60 })
      await extend({ ttlMs: 300_000 })
      clock.now += 200_000
      expect(await balance()).toMatchObject(standing(100, 60))
      await settle({ charge: 55 })
      expect(await last()).toMatchObject({ amount: -55, balance: 45, lots: [{ grant: 'g1', amount: 50 }] })
    })
    test('and has ended when it comes is gone at once', async () => {
      await grant({ grant: 'plain', amount: 7 })
      expect(await ending('g1', 0)).toMatchObject({ kind: 'granted', amount: 50, replayed: false, ...standing(7, 0) })
      expect(await ending('g2', -DAY)).toMatchObject(standing(7, 0))
      expect((await entries()).entries.map(({ kind, at, amount, reference }) => [kind, at - START, amount, reference])).toEqual([
        ['grant', 0, 7, 'plain'], ['grant', 0, 50, 'g1'], ['expiry', 0, -50, 'g1'], ['grant', 0, 50, 'g2'], ['expiry', 0, -50, 'g2'],
      ])
    })
    test('sent again adds nothing, also after its end and with other terms', async () => {
      const expiresAt = clock.now + 1_000
      await ending('g1', 1_000)
      expect(await grant({ expiresAt })).toMatchObject({ replayed: true, ...standing(50, 0) })
      expect(await grant({ expiresAt: 0, priority: 10 })).toMatchObject({ replayed: true, ...standing(50, 0) })
      expect(await grant({ expiresAt, amount: 51 })).toMatchObject({ kind: 'grant_conflict', amount: 50 })
      await use('r1', 45)
      expect(await taken()).toEqual([['g1', 45]])
      clock.now += 1_000
      expect(await grant({ expiresAt })).toMatchObject({ replayed: true, ...standing(0, 0) })
      expect(await expired()).toEqual([['g1', -5, 1_000]])
    })
    test('is no usage', async () => {
      await ending('g1', 1_000)
      clock.now += 1_000
      expect((await usage()).rows).toEqual([])
    })
    test('ends in its account only', async () => {
      await ending('g1', 1_000)
      await grant({ account: 'bob' })
      await grant({ account: 'eve', expiresAt: clock.now + 2_000 })
      clock.now += 1_000
      expect(await Promise.all(['ada', 'bob', 'eve'].map(async (account) => (await balance(account)).balance))).toEqual([0, 50, 50])
    })
    test('ends with the last of 300 reservations that hold of it', async () => {
      await ending('g1', 5, { amount: 400 })
      await Promise.all(Array.from({ length: 300 }, (_, i) => reserve({ reservation: `r${i}`, ceiling: 1, ttlMs: 10 })))
      clock.now += 5
      expect(await balance()).toMatchObject(standing(300, 300))
      clock.now += 5
      expect(await balance()).toMatchObject(standing(0, 0))
    })
    test('lives its life in one go', async () => {
      const [, , reserved, , settled, read, posted] = await Promise.all([
        ending('g1', 1_000), grant({ grant: 'g2', priority: 10 }), reserve({ ceiling: 80 }), ending('g3', 0), settle({ ceiling: 80, charge: 60 }), balance(), entries(),
      ])
      expect(reserved).toMatchObject({ kind: 'reserved', ...standing(100, 80) })
      expect(settled).toMatchObject({ charge: 60, ...standing(40, 0) })
      expect(read).toMatchObject(standing(40, 0))
      expect(posted.entries.map(({ kind, amount }) => [kind, amount])).toEqual([['grant', 50], ['grant', 50], ['grant', 50], ['expiry', -50], ['charge', -60]])
      expect(posted.entries.at(-1)!.lots.map(({ grant, amount }) => [grant, amount])).toEqual([['g2', 50], ['g1', 10]])
      clock.now += CLOSED_KEPT_MS
      expect(await balance()).toMatchObject(standing(0, 0))
    })
  })
}
