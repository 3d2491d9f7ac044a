import { CLOSED_KEPT_MS, MAX_AMOUNT, type Budget, type BudgetKey } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { DAY, ODD_TEXTS, standing, type Rig } from './store-rig.js'

/** The rules of budgets. */
export function testBudgets(rig: Rig): void {
  const { clock, extend, release, grant, refund, hold, progress, finish, entries } = rig
  const at = Date.parse
  const day = (limit: number, scope = 'key:a'): Budget => ({ scope, window: 'day', limit })
  const month = (limit: number, scope = 'key:a'): Budget => ({ scope, window: 'month', limit })
  const total = (limit: number, scope = 'key:a'): Budget => ({ scope, window: 'total', limit })
  const reserve = (given: Parameters<typeof rig.reserve>[0] = {}) => rig.reserve({ allowance: 10_000, ...given })
  const settle = (given: Parameters<typeof rig.settle>[0] = {}) => rig.settle(given)
  /** `spent+held` of each. */
  const uses = async (budgets: readonly BudgetKey[] = [day(0)], account = 'ada') =>
    (await rig.balance(account, { budgets })).budgets!.map(({ spent, held }) => `${spent}+${held}`)
  const call = async (charge: number, budgets: readonly Budget[], given: Parameters<typeof rig.reserve>[0] = {}) => {
    const { account, reservation } = { account: 'ada', reservation: crypto.randomUUID(), ...given }
    const reply = await reserve({ account, reservation, ceiling: charge, budgets, ...given })
    if (reply.kind === 'reserved') await settle({ account, reservation, ceiling: charge, charge })
    return reply.kind
  }

  describe('a budget', () => {
    test('whose window was dropped at its end does not begin anew when the clock is put back', async () => {
      clock.now = at('2026-02-28T23:59:59.999Z')
      await reserve({ ceiling: 60, budgets: [month(100)] })
      clock.now += 1
      await rig.balance()
      clock.now -= 1
      expect(await reserve({ reservation: 'r2', ceiling: 50, budgets: [month(100)] })).toMatchObject({ kind: 'reserved' })
      await release({})
      expect(await uses([month(0)])).toEqual(['0+50'])
    })
    test('lets through exactly its limit, and not one more', async () => {
      expect(await reserve({ ceiling: 60, budgets: [day(100)] })).toMatchObject({ kind: 'reserved', ...standing(10_000, 60) })
      expect(await reserve({ reservation: 'r2', ceiling: 41, budgets: [day(100)] })).toEqual(
        { kind: 'over_budget', required: 41, budget: 0, spent: 0, held: 60, now: clock.now, resetsAt: clock.now + DAY, ...standing(10_000, 60) })
      expect(await reserve({ reservation: 'r3', ceiling: 40, budgets: [day(100)] })).toMatchObject({ kind: 'reserved' })
      expect(await uses()).toEqual(['0+100'])
    })
    test('of 0 lets only what is free through', async () => {
      expect(await reserve({ ceiling: 1, budgets: [day(0)] })).toMatchObject({ kind: 'over_budget', spent: 0, held: 0 })
      expect(await reserve({ ceiling: 0, budgets: [day(0)] })).toMatchObject({ kind: 'reserved' })
    })
    test('counts what was charged beside what is held, and settle gives back the difference', async () => {
      await reserve({ budgets: [day(50)] })
      await settle()
      expect(await uses()).toEqual(['20+0'])
      expect(await reserve({ reservation: 'r2', ceiling: 31, budgets: [day(50)] })).toMatchObject({ kind: 'over_budget', spent: 20, held: 0 })
      expect(await reserve({ reservation: 'r2', ceiling: 30, budgets: [day(50)] })).toMatchObject({ kind: 'reserved' })
      expect(await reserve({ reservation: 'r3', ceiling: 1, budgets: [day(50)] })).toMatchObject({ kind: 'over_budget', spent: 20, held: 30 })
    })
    test('is looked at after the credits, and its call is told of those', async () => {
      expect(await reserve({ ceiling: 10_001, budgets: [day(5)] })).toMatchObject({ kind: 'insufficient', required: 10_001 })
      expect(await uses()).toEqual(['0+0'])
    })
    test('can change its limit from call to call', async () => {
      await call(60, [day(100)])
      expect(await call(1, [day(50)])).toBe('over_budget')
      expect(await call(1, [day(61)])).toBe('reserved')
    })
    test('of an account, a scope or a window is not that of another', async () => {
      await reserve({ ceiling: 100, budgets: [day(100), month(100), total(100)] })
      for (const budgets of [[day(100, 'key:b')], [month(100, 'b')], [total(100, '')]]) {
        expect(await reserve({ reservation: JSON.stringify(budgets), ceiling: 100, budgets })).toMatchObject({ kind: 'reserved' })
      }
      expect(await reserve({ account: 'bob', ceiling: 100, budgets: [day(100)] })).toMatchObject({ kind: 'reserved' })
      expect(await call(1, [month(101), total(100)])).toBe('over_budget')
      await settle({ charge: 7, ceiling: 100 })
      expect(await uses([day(0), month(0), total(0), day(0, 'key:b'), day(0, 'nobody')])).toEqual(['7+0', '7+0', '7+0', '0+100', '0+0'])
      expect(await uses([day(0)], 'bob')).toEqual(['0+100'])
    })
    test.each(ODD_TEXTS.map((scope, i) => [i, scope] as const))('can be of any scope (%s)', async (_, scope) => {
      const budgets = [day(50, scope), month(50, `${scope}.`), total(50, scope)]
      await reserve({ budgets })
      expect(await uses(budgets)).toEqual(['0+30', '0+30', '0+30'])
      expect(await reserve({ reservation: 'r2', ceiling: 21, budgets: [total(99, `${scope}!`), total(50, scope)] })).toMatchObject({ kind: 'over_budget', budget: 1, held: 30 })
      await settle()
      expect(await uses([...budgets, total(0, `${scope}!`)])).toEqual(['20+0', '20+0', '20+0', '0+0'])
    })
    test('of all odd scopes at once holds in each', async () => {
      const budgets = ODD_TEXTS.flatMap((scope) => [day(30, scope), total(30, scope)])
      await reserve({ budgets })
      expect(await uses(budgets)).toEqual(budgets.map(() => '0+30'))
      clock.now += 60_000
      expect(await uses(budgets)).toEqual(budgets.map(() => '0+0'))
    })
    test('is exact up to 2^53 − 1', async () => {
      const most = { allowance: MAX_AMOUNT, ceiling: MAX_AMOUNT }
      await reserve({ ...most, budgets: [total(MAX_AMOUNT)] })
      expect(await uses([total(0)])).toEqual(['0+9007199254740991'])
      await settle({ ceiling: MAX_AMOUNT, charge: MAX_AMOUNT - 1 })
      expect(await uses([total(0)])).toEqual(['9007199254740990+0'])
      await grant({ amount: 10 })
      expect(await call(2, [total(MAX_AMOUNT)])).toBe('over_budget')
      expect(await call(1, [total(MAX_AMOUNT)])).toBe('reserved')
      expect(await call(1, [total(MAX_AMOUNT)])).toBe('over_budget')
    })
    test('is never passed by 1,000 calls at a time', async () => {
      const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) => reserve({ reservation: `r${i}`, ceiling: 7, budgets: [day(1_000, 'a'), total(700, 'b')] })))
      expect(replies.filter(({ kind }) => kind === 'reserved')).toHaveLength(100)
      expect(replies.filter(({ kind }) => kind === 'over_budget')).toHaveLength(900)
      expect(await uses([day(0, 'a'), total(0, 'b')])).toEqual(['0+700', '0+700'])
    })
    test('is never passed by 1,000 calls at a time that are settled and tried again', async () => {
      const settled = await Promise.all(Array.from({ length: 1_000 }, async (_, i) => {
        const { kind } = await reserve({ reservation: `r${i}`, ceiling: 9, budgets: [total(500)] })
        if (kind !== 'reserved') return 0
        await settle({ reservation: `r${i}`, ceiling: 9, charge: 4 })
        return 4
      }))
      const spent = settled.reduce((sum: number, charge) => sum + charge, 0)
      expect(spent).toBeLessThanOrEqual(500)
      expect(await uses([total(0)])).toEqual([`${spent}+0`])
    })
    test('is told in the order in which it was asked for, and only then', async () => {
      await reserve({ budgets: [day(50, 'b'), total(50, 'a')] })
      expect(await uses([total(0, 'a'), day(0, 'a'), day(0, 'b')])).toEqual(['0+30', '0+0', '0+30'])
      expect(await uses([])).toEqual([])
      expect(await rig.balance()).toEqual({ kind: 'balance', provisioned: true, ...standing(10_000, 30) })
    })
    test('lives its life in one go', async () => {
      const budgets = [day(50)]
      const [, over, , again, , read] = await Promise.all([
        reserve({ budgets }), reserve({ reservation: 'r2', budgets }), settle(), reserve({ reservation: 'r3', budgets }), release({ reservation: 'r3' }), rig.balance('ada', { budgets }),
      ])
      expect(over).toMatchObject({ kind: 'over_budget', spent: 0, held: 30 })
      expect(again).toMatchObject({ kind: 'reserved' })
      expect(read).toMatchObject({ budgets: [{ spent: 20, held: 0 }] })
    })
  })

  describe('of several budgets', () => {
    test('all are held in, and all get the difference back', async () => {
      const budgets = [day(100, 'key:a'), month(100, 'user:b'), total(100, 'team')]
      await reserve({ budgets })
      expect(await uses(budgets)).toEqual(['0+30', '0+30', '0+30'])
      await settle({ charge: 12 })
      expect(await uses(budgets)).toEqual(['12+0', '12+0', '12+0'])
    })
    test('the first that says no is named by its place, and nothing is held in any', async () => {
      await call(80, [total(100, 'team'), month(200, 'user')])
      const budgets = [day(100, 'key'), month(100, 'user'), total(100, 'team')]
      expect(await reserve({ budgets })).toEqual(
        { kind: 'over_budget', required: 30, budget: 1, spent: 80, held: 0, now: clock.now, resetsAt: at('2024-11-01'), ...standing(9_920, 0) })
      expect(await uses(budgets)).toEqual(['0+0', '80+0', '80+0'])
    })
    test('the last can say no as well, with no end where it has none', async () => {
      expect(await reserve({ budgets: [day(30), month(30), total(29)] })).toMatchObject({ kind: 'over_budget', budget: 2, resetsAt: 0 })
      expect(await uses([day(0), month(0), total(0)])).toEqual(['0+0', '0+0', '0+0'])
    })
    test('of one scope and window, each is a limit and the call counts once', async () => {
      const budgets = [day(100), day(60)]
      expect(await reserve({ budgets })).toMatchObject({ kind: 'reserved' })
      expect(await uses()).toEqual(['0+30'])
      expect(await reserve({ reservation: 'r2', ceiling: 31, budgets })).toMatchObject({ kind: 'over_budget', budget: 1, held: 30 })
      await settle()
      expect(await uses()).toEqual(['20+0'])
      await settle({ reservation: 'late', charge: 5, budgets })
      expect(await uses()).toEqual(['25+0'])
    })
  })

  describe('what a call holds in its budgets', () => {
    const budgets = [day(100), total(100)]

    test('is held once, however often it is sent', async () => {
      for (let i = 0; i < 3; i++) expect(await reserve({ budgets })).toMatchObject({ kind: 'reserved' })
      expect(await uses(budgets)).toEqual(['0+30', '0+30'])
      for (let i = 0; i < 3; i++) await settle()
      await release()
      expect(await uses(budgets)).toEqual(['20+0', '20+0'])
      expect(await reserve({ budgets })).toMatchObject({ kind: 'conflict' })
      expect(await uses(budgets)).toEqual(['20+0', '20+0'])
    })
    test('is not held for whoever is told of an earlier call under the same key', async () => {
      const keyed = { key: 'k', payload: 'p', budgets }
      await reserve(keyed)
      expect(await reserve({ ...keyed, reservation: 'r2' })).toMatchObject({ kind: 'in_progress' })
      await settle({ key: 'k', payload: 'p', response: 'done' })
      expect(await reserve({ ...keyed, reservation: 'r3' })).toMatchObject({ kind: 'replayed' })
      expect(await reserve({ ...keyed, reservation: 'r4', payload: 'other' })).toMatchObject({ kind: 'mismatch' })
      expect(await uses(budgets)).toEqual(['20+0', '20+0'])
    })
    test('does not take the key of a call that is over one', async () => {
      const keyed = { key: 'k', payload: 'p' }
      expect(await reserve({ ...keyed, budgets: [day(1)] })).toMatchObject({ kind: 'over_budget' })
      expect(await reserve({ ...keyed, payload: 'q', budgets })).toMatchObject({ kind: 'reserved' })
    })
    test('is free again when it is released', async () => {
      await reserve({ budgets })
      await release()
      expect(await uses(budgets)).toEqual(['0+0', '0+0'])
    })
    test('is free again when it has expired, and not a ms before', async () => {
      await reserve({ budgets, ceiling: 100 })
      clock.now += 59_999
      expect(await call(1, budgets)).toBe('over_budget')
      clock.now += 1
      expect(await uses(budgets)).toEqual(['0+0', '0+0'])
      expect(await call(100, budgets)).toBe('reserved')
    })
    test('of many that expire at once is all free again', async () => {
      await Promise.all(Array.from({ length: 2_000 }, (_, i) => reserve({ reservation: `r${i}`, ceiling: 1, budgets: [total(2_000, `s${i % 3}`), total(3_000, 'all')] })))
      expect(await uses([total(0, 'all')])).toEqual(['0+2000'])
      clock.now += 60_000
      expect(await uses(['s0', 's1', 's2', 'all'].map((scope) => total(0, scope)))).toEqual(['0+0', '0+0', '0+0', '0+0'])
    })
    test('of 1,500 scopes is held and given back in each', async () => {
      const many = Array.from({ length: 1_500 }, (_, i) => day(30, `s${i}`))
      await reserve({ budgets: many })
      expect(await uses(many)).toEqual(many.map(() => '0+30'))
      await settle()
      expect(await uses(many)).toEqual(many.map(() => '20+0'))
    })
    test('stays held through an extend', async () => {
      await reserve({ budgets })
      await extend({ ttlMs: 300_000 })
      clock.now += 299_999
      expect(await uses(budgets)).toEqual(['0+30', '0+30'])
      await settle()
      expect(await uses(budgets)).toEqual(['20+0', '20+0'])
    })
    test('together with what it holds of grants is given back in both', async () => {
      await grant({ amount: 20, expiresAt: clock.now + DAY })
      await reserve({ budgets })
      await settle({ charge: 15 })
      expect(await uses(budgets)).toEqual(['15+0', '15+0'])
      expect((await entries()).entries.at(-1)!.lots.map(({ amount }) => amount)).toEqual([15])
    })
    test('stays held by its operation, which counts what it was charged', async () => {
      await reserve({ budgets })
      await hold()
      clock.now += 300_000
      await progress({ ttlMs: 600_000 })
      clock.now += 599_999
      expect(await uses(budgets)).toEqual(['0+30', '0+30'])
      await finish({ charge: 25, budgets })
      expect(await uses(budgets)).toEqual(['25+0', '25+0'])
      await finish({ charge: 25, budgets })
      expect(await uses(budgets)).toEqual(['25+0', '25+0'])
    })
    test('is free again when its operation fails', async () => {
      await reserve({ budgets })
      await hold()
      await finish({ succeeded: 0 })
      expect(await uses(budgets)).toEqual(['0+0', '0+0'])
    })
    test('is free again when its operation expires, and a late end counts in those that it names', async () => {
      await reserve({ budgets })
      await hold()
      clock.now += 600_000
      expect(await uses(budgets)).toEqual(['0+0', '0+0'])
      expect(await finish({ charge: 25, budgets: [total(0)] })).toMatchObject({ late: true, charge: 25 })
      expect(await uses(budgets)).toEqual(['0+0', '25+0'])
    })
    test('does not come back with a refund', async () => {
      await reserve({ budgets })
      await settle()
      expect(await refund()).toMatchObject({ kind: 'refunded', amount: 20 })
      expect(await uses(budgets)).toEqual(['20+0', '20+0'])
    })
  })

  describe('a late charge', () => {
    test('counts in the budgets that it names, also above their limit', async () => {
      await call(95, [day(100)])
      await settle({ reservation: 'late', charge: 20, budgets: [day(0), total(0, 'b')] })
      expect(await uses([day(0), total(0, 'b')])).toEqual(['115+0', '20+0'])
      expect(await reserve({ ceiling: 1, budgets: [day(115)] })).toMatchObject({ kind: 'over_budget', spent: 115 })
      expect(await call(1, [day(116)])).toBe('reserved')
    })
    test('counts once, however often it is sent, and not when its reservation is unknown', async () => {
      const late = { charge: 20, budgets: [total(0)], firstSentAt: clock.now }
      for (let i = 0; i < 3; i++) await settle(late)
      expect(await uses([total(0)])).toEqual(['0+0'])
      await grant()
      for (let i = 0; i < 3; i++) await settle({ ...late, reservation: 'r2' })
      expect(await uses([total(0)])).toEqual(['20+0'])
      clock.now += CLOSED_KEPT_MS
      expect(await settle({ ...late, reservation: 'r2' })).toMatchObject({ kind: 'unknown' })
      expect(await uses([total(0)])).toEqual(['20+0'])
    })
    test('counts what could be taken, without the shortfall', async () => {
      await grant({ amount: 15 })
      expect(await settle({ charge: 20, budgets: [day(0)] })).toMatchObject({ charge: 15, shortfall: 5 })
      expect(await uses()).toEqual(['15+0'])
    })
    test('counts in the window of now, and that of its reservation is free', async () => {
      clock.now += DAY - 30_000
      await reserve({ budgets: [day(100), month(100)] })
      clock.now += 60_000
      await settle({ budgets: [day(0), month(0)] })
      expect(await uses([day(0), month(0)])).toEqual(['20+0', '20+0'])
    })
    test('is not what a charge in time names: that counts where it is held', async () => {
      await reserve({ budgets: [day(100)] })
      await settle({ budgets: [day(100), total(0)] })
      expect(await uses([day(0), total(0)])).toEqual(['20+0', '0+0'])
    })
  })

  describe('a budget begins anew', () => {
    test.each(['2024-10-04', '2024-02-28', '2024-02-29', '2023-02-28', '2024-12-31', '2100-02-28', '2000-02-29'])('every day at 00:00 UTC: %s', async (date) => {
      clock.now = at(`${date}T23:59:59.999Z`)
      await call(100, [day(100)])
      expect(await reserve({ ceiling: 1, budgets: [day(100)] })).toMatchObject({ kind: 'over_budget', spent: 100, resetsAt: clock.now + 1 })
      clock.now += 1
      expect(await uses()).toEqual(['0+0'])
      expect(await call(100, [day(100)])).toBe('reserved')
      clock.now += DAY - 1
      expect(await reserve({ reservation: 'r2', ceiling: 1, budgets: [day(100)] })).toMatchObject({ kind: 'over_budget', resetsAt: clock.now + 1 })
      clock.now += 1
      expect(await uses()).toEqual(['0+0'])
    })
    test.each([
      ['2024-01-31T12:00Z', '2024-02-01'], ['2024-02-01', '2024-03-01'], ['2023-02-01', '2023-03-01'], ['2024-02-29', '2024-03-01'], ['2024-03-15', '2024-04-01'],
      ['2024-04-30', '2024-05-01'], ['2024-05-01', '2024-06-01'], ['2024-06-01', '2024-07-01'], ['2024-07-31', '2024-08-01'], ['2024-08-01', '2024-09-01'],
      ['2024-09-01', '2024-10-01'], ['2024-10-31', '2024-11-01'], ['2024-11-01', '2024-12-01'], ['2024-12-31', '2025-01-01'], ['2000-02-01', '2000-03-01'],
      ['2100-02-01', '2100-03-01'], ['2399-12-31', '2400-01-01'], ['2400-02-28', '2400-03-01'],
    ])('every month on its first day at 00:00 UTC: %s', async (from, until) => {
      clock.now = at(from)
      await call(100, [month(100)])
      expect(await reserve({ ceiling: 1, budgets: [month(100)] })).toMatchObject({ kind: 'over_budget', resetsAt: at(until) })
      clock.now = at(until) - 1
      expect(await uses([month(0)])).toEqual(['100+0'])
      expect(await reserve({ ceiling: 1, budgets: [month(100)] })).toMatchObject({ kind: 'over_budget', resetsAt: at(until) })
      clock.now += 1
      expect(await uses([month(0)])).toEqual(['0+0'])
      expect(await call(100, [month(100)])).toBe('reserved')
    })
    test('never, where it is one of all time', async () => {
      await call(60, [total(100)])
      for (const later of [DAY, 40 * DAY, 4_000 * DAY]) {
        clock.now += later
        expect(await uses([total(0)])).toEqual(['60+0'])
        expect(await call(41, [total(100)])).toBe('over_budget')
      }
      expect(await call(40, [total(100)])).toBe('reserved')
    })
    test('after a year in which nobody came', async () => {
      await call(100, [day(100), month(100)])
      clock.now += 366 * DAY
      expect(await call(100, [day(100), month(100)])).toBe('reserved')
      expect(await uses([day(0), month(0)])).toEqual(['100+0', '100+0'])
    })
    test('not a second time when the clock is put back: the window that has begun stays', async () => {
      await call(90, [day(100)])
      clock.now += DAY
      await call(50, [day(100)])
      clock.now -= 1
      expect(await uses()).toEqual(['50+0'])
      expect(await reserve({ ceiling: 51, budgets: [day(100)] })).toMatchObject({ kind: 'over_budget', spent: 50, resetsAt: at('2024-10-06') })
      expect(await call(50, [day(100)])).toBe('reserved')
      clock.now += 1
      expect(await uses()).toEqual(['100+0'])
    })
    test.each(['settle', 'release', 'expiry', 'finish'])('without a reservation of the window before: that neither counts in it nor frees of it (%s)', async (how) => {
      clock.now = at('2024-10-31T23:59:50Z')
      const budgets = [day(100), month(100), total(100)]
      await reserve({ budgets })
      if (how === 'finish') await hold()
      clock.now = at('2024-11-01')
      expect(await uses(budgets)).toEqual(['0+0', '0+0', '0+30'])
      expect(await reserve({ reservation: 'r2', ceiling: 70, budgets })).toMatchObject({ kind: 'reserved' })
      expect(await uses(budgets)).toEqual(['0+70', '0+70', '0+100'])
      if (how === 'settle') await settle()
      else if (how === 'release') await release()
      else if (how === 'finish') await finish()
      else {
        await extend({ reservation: 'r2', ttlMs: 300_000 })
        clock.now += 60_000
      }
      expect(await uses(budgets)).toEqual(['0+70', '0+70', how === 'settle' || how === 'finish' ? '20+70' : '0+70'])
    })
    test('while its account\'s allowance does', async () => {
      const given = { recurrence: { every: 'day' as const, rollover: 0 }, allowance: 100 }
      await call(100, [day(100)], given)
      clock.now += DAY
      expect(await call(100, [day(100)], given)).toBe('reserved')
      expect(await uses()).toEqual(['100+0'])
    })
  })
}
