import { CLOSED_KEPT_MS, MAX_AMOUNT, type Recurrence } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { DAY, standing, type Rig } from './store-rig.js'

/** The rules of an allowance that comes again. */
export function testAllowance(rig: Rig): void {
  const { clock, settle, release, extend, grant, refund, balance, watch, usage, entries, hold, progress, finish, operation } = rig
  const at = Date.parse
  const terms = (every: 'day' | 'month', rollover = 0): Recurrence => ({ every, rollover })
  const reserve = (given: Parameters<typeof rig.reserve>[0] = {}) => rig.reserve({ recurrence: terms('month'), ...given })
  /** A call that costs nothing. */
  const come = (given: Parameters<typeof rig.reserve>[0] = {}) => reserve({ reservation: crypto.randomUUID(), ceiling: 0, ttlMs: 0, ...given })
  const use = async (charge: number, given: Parameters<typeof rig.reserve>[0] = {}) => {
    const call = { account: 'ada', reservation: crypto.randomUUID(), ceiling: charge, ...given }
    await reserve(call)
    await settle({ account: call.account, reservation: call.reservation, ceiling: charge, charge })
  }
  const posted = async (account = 'ada') => (await entries({ account })).entries
  /** `+100 allowance:2024-10-04 2024-10-04T00:00` of each entry, without the seconds. */
  const told = async (account = 'ada') => (await posted(account)).map(({ amount, reference, at: time }) =>
    `${amount > 0 ? '+' : ''}${amount} ${reference} ${new Date(time).toISOString().slice(0, 16)}`)
  const taken = async () => (await posted()).at(-1)!.lots.map(({ grant: id, amount }) => [id, amount])
  const addsUp = async (account = 'ada') =>
    expect((await posted(account)).reduce((sum, { amount }) => sum + amount, 0)).toBe((await balance(account)).balance)

  describe('an allowance that comes again', () => {
    test('begins with the first billable call and ends at 00:00 UTC of the day on which it comes again', async () => {
      clock.now = at('2024-10-04T17:30:15.123Z')
      expect(await reserve()).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
      const lot = { grant: 'allowance:2024-10-04', amount: 100, priority: 50, expiresAt: at('2024-11-04T00:00Z'), source: 'allowance' }
      expect(await posted()).toEqual([
        { id: '1', at: clock.now, kind: 'grant', amount: 100, balance: 100, reference: 'allowance:2024-10-04', label: 'allowance', shortfall: 0, lots: [lot], details: '' },
      ])
      expect(await balance()).toMatchObject({ provisioned: true })
    })
    test('begins on the day of that call, not of a grant or a look before it', async () => {
      clock.now = at('2024-10-04T12:00Z')
      await grant()
      await balance()
      clock.now = at('2024-10-06T12:00Z')
      await come()
      clock.now = at('2024-11-06T00:00Z') - 1
      await use(150)
      expect(await balance()).toMatchObject(standing(0, 0))
      clock.now += 1
      expect(await balance()).toMatchObject(standing(100, 0))
    })
    test.each([['insufficient', { ceiling: 101 }], ['over_budget', { budgets: [{ scope: 's', window: 'day', limit: 1 }] }]] as const)('begins with a call that is refused, too (%s)', async (kind, given) => {
      expect(await reserve(given)).toMatchObject({ kind, ...standing(100, 0) })
    })
    test('is not begun by a call that is told how an earlier one ended', async () => {
      await release()
      expect(await reserve()).toMatchObject({ kind: 'conflict', ...standing(0, 0) })
      expect(await posted()).toEqual([])
    })
    test('comes once a period, however often and however many at a time ask for it', async () => {
      await Promise.all(Array.from({ length: 200 }, () => come()))
      expect(await told()).toEqual(['+100 allowance:2024-10-04 2024-10-04T00:00'])
      clock.now = at('2024-11-04T09:00Z')
      await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? come() : balance())))
      expect((await told()).slice(1)).toEqual(['-100 allowance:2024-10-04 2024-11-04T00:00', '+100 allowance:2024-11-04 2024-11-04T00:00'])
    })

    const asked = {
      reserve: () => reserve({ reservation: 'r2' }), settle: () => settle({ reservation: 'r2' }), release: () => release({ reservation: 'r2' }),
      extend: () => extend({ reservation: 'r2' }), grant: () => grant({ amount: 0 }), refund: () => refund({ reservation: 'r2' }), balance: () => balance(),
      watch: () => watch(), usage: () => usage(), entries: () => entries(), hold: () => hold({ reservation: 'r2' }), progress: () => progress(),
      finish: () => finish(), operation: () => operation(),
    }
    test.each(Object.entries(asked))('comes at 00:00 UTC of its day whoever asks first, and not a ms before (%s)', async (_, ask) => {
      await use(100)
      clock.now = at('2024-11-04T00:00Z') - 1
      expect(await balance()).toMatchObject(standing(0, 0))
      clock.now += 1
      await ask()
      // Nobody else has: the next one comes before that.
      clock.now -= 1
      expect((await told())[2]).toBe('+100 allowance:2024-11-04 2024-11-04T00:00')
    })

    test.each([
      ['2023-01-31', ['2023-02-28', '2023-03-31', '2023-04-30', '2023-05-31', '2023-06-30']],
      ['2024-01-31', ['2024-02-29', '2024-03-31', '2024-04-30']],
      ['2024-01-30', ['2024-02-29', '2024-03-30']],
      ['2023-01-29', ['2023-02-28', '2023-03-29']],
      ['2024-02-28', ['2024-03-28', '2024-04-28']],
      ['2024-02-29', ['2024-03-29', '2024-04-29']],
      ['2025-01-29', ['2025-02-28', '2025-03-29']],
      ['2024-12-31', ['2025-01-31', '2025-02-28', '2025-03-31']],
      ['2023-12-01', ['2024-01-01', '2024-02-01', '2024-03-01']],
      ['1999-12-29', ['2000-01-29', '2000-02-29', '2000-03-29']],
      ['2100-01-29', ['2100-02-28', '2100-03-29']],
      ['2400-01-31', ['2400-02-29', '2400-03-31']],
    ])('comes again on the day of the month on which it began, or its last where it has no such day: %s', async (first, next) => {
      clock.now = at(`${first}T23:59:59.999Z`)
      await come()
      for (const [i, date] of next.entries()) {
        clock.now = at(date) - 1
        expect(await posted()).toHaveLength(1 + 2 * i)
        clock.now += 1
        expect((await told()).slice(1 + 2 * i)).toEqual([`-100 allowance:${[first, ...next][i]} ${date}T00:00`, `+100 allowance:${date} ${date}T00:00`])
      }
    })
    test('that began on a 29 February comes on the 28th in the years that have none, and on the 29th again', async () => {
      clock.now = at('2024-02-29')
      await come()
      for (const date of ['2025-02-28', '2025-03-29', '2028-02-29']) {
        clock.now = at(date) - 1
        await balance()
        clock.now += 1
        expect((await told()).at(-1)).toBe(`+100 allowance:${date} ${date}T00:00`)
      }
    })
    test.each([['2024-02-28', '2024-02-29', '2024-03-01'], ['2023-02-27', '2023-02-28', '2023-03-01'], ['2024-12-30', '2024-12-31', '2025-01-01']])('every day comes at each midnight UTC: %s', async (first, second, third) => {
      clock.now = at(`${first}T23:59:59.999Z`)
      await use(70, { recurrence: terms('day') })
      clock.now += 1
      expect(await balance()).toMatchObject(standing(100, 0))
      clock.now += DAY - 1
      expect(await posted()).toHaveLength(4)
      clock.now += 1
      expect((await told()).slice(2)).toEqual([
        `-30 allowance:${first} ${second}T00:00`, `+100 allowance:${second} ${second}T00:00`,
        `-100 allowance:${second} ${third}T00:00`, `+100 allowance:${third} ${third}T00:00`,
      ])
    })
    test.each([
      ['day', '2027-10-20T13:00Z', '2027-10-20'], ['month', '2027-10-20T13:00Z', '2027-10-04'], ['month', '2027-10-04T00:00Z', '2027-10-04'],
      ['month', '2027-10-03T23:59:59.999Z', '2027-09-04'],
    ] as const)('of a period in which nobody came is not there: only that of now (%s, %s)', async (every, now, begins) => {
      await come({ recurrence: terms(every) })
      clock.now = at(now)
      expect(await balance()).toMatchObject(standing(100, 0))
      const ended = every === 'day' ? '2024-10-05' : '2024-11-04'
      expect((await told()).slice(1)).toEqual([`-100 allowance:2024-10-04 ${ended}T00:00`, `+100 allowance:${begins} ${begins}T00:00`])
    })
    test('comes on each account\'s own day', async () => {
      await come()
      clock.now += DAY
      await come({ account: 'bob' })
      clock.now = at('2024-11-04')
      expect([await told(), await told('bob')].map(({ length }) => length)).toEqual([3, 1])
      clock.now += DAY
      expect([await told(), await told('bob')].map(({ length }) => length)).toEqual([3, 3])
    })
    test('does not come a second time when the clock is put back and on again', async () => {
      await come()
      clock.now = at('2024-11-04')
      await come()
      clock.now -= 40 * DAY
      expect(await come()).toMatchObject(standing(100, 0))
      clock.now += 40 * DAY
      expect(await come()).toMatchObject(standing(100, 0))
      expect(await posted()).toHaveLength(3)
    })
    test('of 0 posts nothing, and begins its period', async () => {
      await come({ allowance: 0 })
      clock.now += DAY
      await come()
      expect(await posted()).toEqual([])
      clock.now = at('2024-11-04')
      expect(await told()).toEqual(['+100 allowance:2024-11-04 2024-11-04T00:00'])
    })
    test('is no usage', async () => {
      await use(10)
      const before = await usage()
      clock.now = at('2024-11-01')
      await use(10)
      clock.now = at('2024-11-04')
      expect((await usage()).rows).toEqual([{ ...before.rows[0], day: at('2024-11-01') / DAY }])
    })
  })

  describe('what is left of an allowance at the end of its period', () => {
    test.each([[0, 0], [69, 69], [70, 70], [71, 70], [1_000, 70]])('goes on up to the rollover: of %s, %s of 70', async (rollover, carried) => {
      await use(30, { recurrence: terms('month', rollover) })
      clock.now = at('2024-11-04')
      expect(await balance()).toMatchObject(standing(100 + carried, 0))
      expect((await told()).slice(2)).toEqual([
        '-70 allowance:2024-10-04 2024-11-04T00:00',
        ...(carried > 0 ? [`+${carried} rollover:2024-11-04 2024-11-04T00:00`] : []),
        '+100 allowance:2024-11-04 2024-11-04T00:00',
      ])
      await addsUp()
    })
    test('goes on with an entry of its own, and ends with the period', async () => {
      await use(30, { recurrence: terms('month', 50) })
      clock.now = at('2024-11-09T10:00Z')
      const begins = at('2024-11-04')
      const lot = { grant: 'rollover:2024-11-04', amount: 50, priority: 50, expiresAt: at('2024-12-04'), source: 'rollover' }
      expect((await posted()).slice(2, 4)).toEqual([
        { id: '3', at: begins, kind: 'expiry', amount: -70, balance: 0, reference: 'allowance:2024-10-04', label: 'allowance', shortfall: 0, lots: [], details: '' },
        { id: '4', at: begins, kind: 'grant', amount: 50, balance: 50, reference: 'rollover:2024-11-04', label: 'rollover', shortfall: 0, lots: [lot], details: '' },
      ])
    })
    test('goes on with what was carried on before, up to the rollover', async () => {
      await use(30, { recurrence: terms('month', 150) })
      for (const [date, available] of [['2024-11-04', 170], ['2024-12-04', 250], ['2025-01-04', 250]] as const) {
        clock.now = at(date)
        expect(await balance()).toMatchObject(standing(available, 0))
      }
      expect((await told()).slice(-4)).toEqual([
        '-150 rollover:2024-12-04 2025-01-04T00:00', '-100 allowance:2024-12-04 2025-01-04T00:00',
        '+150 rollover:2025-01-04 2025-01-04T00:00', '+100 allowance:2025-01-04 2025-01-04T00:00',
      ])
      await addsUp()
    })
    test.each([0, 50, 99, 100, 101, 250, 333, 10_000, MAX_AMOUNT].flatMap((rollover) => [['day', rollover], ['month', rollover]] as const))(
      'is after many periods in which nobody came what it is when somebody looked in each (every %s, rollover %s)', async (every, rollover) => {
        for (const account of ['ada', 'bob']) await use(30, { account, recurrence: terms(every, rollover) })
        for (const periods of [1, 2, 7]) {
          for (let i = 0; i < periods; i++) {
            clock.now += every === 'day' ? DAY : 31 * DAY
            await balance('bob')
          }
          const [ada, bob] = [await balance(), await balance('bob')]
          expect(ada).toEqual(bob)
          for (const account of ['ada', 'bob']) await use(10, { account, recurrence: terms(every, rollover) })
          await addsUp()
          await addsUp('bob')
        }
      })
    test('is not what other grants brought', async () => {
      await grant({ expiresAt: at('2024-11-04') })
      await grant({ grant: 'plain' })
      await grant({ grant: 'late', priority: 90 })
      await come({ recurrence: terms('month', 1_000) })
      clock.now = at('2024-11-04')
      expect(await balance()).toMatchObject(standing(300, 0))
      expect((await told()).at(-2)).toBe('+100 rollover:2024-11-04 2024-11-04T00:00')
    })
    test('is also what was given back of a charge before then, and not after', async () => {
      await use(30, { reservation: 'r1', recurrence: terms('month', 1_000) })
      await refund({ amount: 10 })
      clock.now = at('2024-11-04')
      expect(await balance()).toMatchObject(standing(180, 0))
      await refund({ refund: 'f2', amount: 10 })
      clock.now = at('2024-12-04')
      expect((await told()).at(-2)).toBe('+180 rollover:2024-12-04 2024-12-04T00:00')
      expect(await balance()).toMatchObject(standing(290, 0))
    })
    test('is also what a reservation gave back that expired by then, although nobody looked, and not of one that expires a ms later', async () => {
      const left = at('2024-11-04') - clock.now
      const recurrence = terms('month', 1_000)
      await reserve({ recurrence, ttlMs: left, ceiling: 30 })
      await reserve({ recurrence, reservation: 'r2', ttlMs: left + 1, ceiling: 50 })
      clock.now = at('2024-11-04T08:00Z')
      expect(await balance()).toMatchObject(standing(150, 0))
      expect((await told()).filter((entry) => entry.includes('rollover'))).toEqual(['+50 rollover:2024-11-04 2024-11-04T00:00'])
      await addsUp()
    })
    test('and is held is charged as if it had not ended, and what is over ends then', async () => {
      await reserve({ recurrence: terms('month', 1_000), ttlMs: 60 * DAY, ceiling: 60 })
      clock.now = at('2024-11-04')
      expect(await balance()).toMatchObject(standing(200, 60))
      clock.now = at('2024-11-10')
      expect(await settle({ ceiling: 60, charge: 45 })).toMatchObject({ kind: 'settled', charge: 45, late: false, ...standing(140, 0) })
      expect((await told()).slice(1)).toEqual([
        '-40 allowance:2024-10-04 2024-11-04T00:00', '+40 rollover:2024-11-04 2024-11-04T00:00', '+100 allowance:2024-11-04 2024-11-04T00:00',
        '-45 r1 2024-11-10T00:00', '-15 allowance:2024-10-04 2024-11-10T00:00',
      ])
      clock.now = at('2024-12-04')
      expect(await balance()).toMatchObject(standing(240, 0))
      await addsUp()
    })
    test('and is held ends when it is given back, with an entry, and never goes on', async () => {
      const recurrence = terms('month', 1_000)
      await reserve({ recurrence, ttlMs: 90 * DAY, ceiling: 60 })
      await reserve({ recurrence, reservation: 'r2', ttlMs: 90 * DAY, ceiling: 40 })
      clock.now = at('2024-11-04')
      await release()
      expect(await balance()).toMatchObject(standing(140, 40))
      expect((await told()).at(-1)).toBe('-60 allowance:2024-10-04 2024-11-04T00:00')
      clock.now = at('2024-12-04')
      await release({ reservation: 'r2' })
      expect(await balance()).toMatchObject(standing(200, 0))
      await addsUp()
    })
    test('and is held through two more periods is not carried on by them', async () => {
      await reserve({ recurrence: terms('month', 30), ttlMs: 365 * DAY, ceiling: 100 })
      for (const [date, available] of [['2024-11-04', 100], ['2024-12-04', 130], ['2025-01-04', 130]] as const) {
        clock.now = at(date)
        expect(await balance()).toMatchObject(standing(100 + available, 100))
      }
      await settle({ ceiling: 100, charge: 100 })
      expect(await taken()).toEqual([['allowance:2024-10-04', 100]])
      await addsUp()
    })
    test('and is held by an operation is charged when that ends', async () => {
      await reserve({ ceiling: 60 })
      await hold({ ttlMs: 40 * DAY })
      clock.now = at('2024-11-05')
      expect(await finish({ charge: 60 })).toMatchObject({ status: 'succeeded', charge: 60, late: false, ...standing(100, 0) })
    })
  })

  describe('the credits of an allowance that comes again', () => {
    test('are used in turn: what was carried on, the allowance, plain credits', async () => {
      await grant({ grant: 'plain' })
      await use(70, { recurrence: terms('month', 20) })
      clock.now = at('2024-11-04')
      await use(15)
      expect(await taken()).toEqual([['rollover:2024-11-04', 15]])
      await use(15)
      expect(await taken()).toEqual([['rollover:2024-11-04', 5], ['allowance:2024-11-04', 10]])
      await use(100)
      expect(await taken()).toEqual([['allowance:2024-11-04', 90]])
      expect(await balance()).toMatchObject(standing(40, 0))
    })
    test('are used before grants that end later and after those that end sooner', async () => {
      await grant({ grant: 'sooner', amount: 10, expiresAt: at('2024-11-03') })
      await grant({ grant: 'later', amount: 10, expiresAt: at('2024-11-05') })
      await use(115)
      expect(await taken()).toEqual([['sooner', 10], ['allowance:2024-10-04', 100], ['later', 5]])
    })
    test('and others that end at some time between are gone with an entry each, in order', async () => {
      await come({ recurrence: terms('month', 30) })
      for (const [id, date] of [['c', '2025-01-20'], ['a', '2024-10-20'], ['b', '2024-11-20'], ['d', '2025-06-01']] as const) {
        await grant({ grant: id, amount: 7, expiresAt: at(date) })
      }
      clock.now = at('2025-02-01')
      expect(await balance()).toMatchObject(standing(137, 0))
      expect((await told()).slice(5)).toEqual([
        '-7 a 2024-10-20T00:00', '-100 allowance:2024-10-04 2024-11-04T00:00', '-7 b 2024-11-20T00:00',
        '+30 rollover:2025-01-04 2025-01-04T00:00', '+100 allowance:2025-01-04 2025-01-04T00:00', '-7 c 2025-01-20T00:00',
      ])
      await addsUp()
    })
    test('pay a late charge of the period before as well', async () => {
      await reserve({ ceiling: 100 })
      clock.now = at('2024-11-04')
      expect(await settle({ ceiling: 100, charge: 80 })).toMatchObject({ charge: 80, shortfall: 0, late: true, ...standing(20, 0) })
      expect(await taken()).toEqual([['allowance:2024-11-04', 80]])
    })
    test('that were charged in a period that has ended come back as plain credits', async () => {
      await use(30, { reservation: 'r1' })
      clock.now = at('2024-11-04') + CLOSED_KEPT_MS
      expect(await refund()).toMatchObject({ kind: 'refunded', amount: 30, ...standing(130, 0) })
      clock.now = at('2025-11-04')
      expect(await balance()).toMatchObject(standing(130, 0))
    })
    test('are never more than can be counted', async () => {
      await grant({ amount: MAX_AMOUNT - 150 })
      await come({ recurrence: terms('month', MAX_AMOUNT) })
      expect(await balance()).toMatchObject(standing(MAX_AMOUNT - 50, 0))
      clock.now = at('2024-11-04')
      expect(await balance()).toMatchObject(standing(MAX_AMOUNT, 0))
      expect((await told()).slice(-2)).toEqual(['+100 rollover:2024-11-04 2024-11-04T00:00', '+50 allowance:2024-11-04 2024-11-04T00:00'])
      await addsUp()
    })
    test('are exact up to 2^53 − 1', async () => {
      await use(1, { allowance: MAX_AMOUNT, recurrence: terms('day', MAX_AMOUNT) })
      clock.now += DAY
      expect(await balance()).toMatchObject(standing(MAX_AMOUNT, 0))
      expect((await posted()).map(({ amount }) => amount)).toEqual([MAX_AMOUNT, -1, 1 - MAX_AMOUNT, 9_007_199_254_740_990, 1])
      clock.now += 500 * DAY
      expect(await balance()).toMatchObject(standing(MAX_AMOUNT, 0))
      await addsUp()
    })
    test.each(['allowance:2024-11-04', 'rollover:2024-11-04', 'allowance:2025-11-04'])('can not be mixed up with those of a grant: its id is taken (%s)', async (id) => {
      await come({ recurrence: terms('month', 50) })
      clock.now = at('2024-11-04')
      const { balance: before } = await balance()
      expect(await grant({ grant: id, expiresAt: at('2025-12-01') })).toEqual({ kind: 'grant_conflict', amount: 0, ...standing(before, 0) })
    })
  })

  describe('other terms of an allowance', () => {
    const periods = async (...dates: string[]) => {
      const standings = []
      for (const date of dates) {
        clock.now = at(date)
        standings.push((await balance()).balance)
      }
      return standings
    }

    test('hold from the next period on', async () => {
      await come()
      expect(await come({ allowance: 500, recurrence: terms('month', 40) })).toMatchObject(standing(100, 0))
      expect(await periods('2024-11-03', '2024-11-04', '2024-12-04')).toEqual([100, 540, 540])
    })
    test.each([[40, 140], [0, 100]])('may be another rollover only: %s', async (rollover, standings) => {
      await come({ recurrence: terms('month', 70) })
      await come({ recurrence: terms('month', rollover) })
      expect(await periods('2024-11-04')).toEqual([standings])
    })
    test('said by turns, as while they are deployed, grant nothing', async () => {
      for (let i = 0; i < 10; i++) await come(i % 2 ? { allowance: 500 } : { recurrence: terms('day', 40) })
      expect(await told()).toEqual(['+100 allowance:2024-10-04 2024-10-04T00:00'])
    })
    test('hold for all the periods in which nobody came since', async () => {
      await use(90)
      await come({ allowance: 20, recurrence: terms('month', 45) })
      expect(await periods('2024-11-04')).toEqual([30])
      expect(await periods('2025-03-04')).toEqual([65])
    })
    test('from every month to every day begin when the month is over', async () => {
      await come({ recurrence: terms('month', 1_000) })
      await come({ allowance: 10, recurrence: terms('day', 1_000) })
      expect(await periods('2024-11-03', '2024-11-04', '2024-11-05', '2024-11-08')).toEqual([100, 110, 120, 150])
    })
    test('from every day to every month begin when the day is over, and keep the day of the month on which it all began', async () => {
      clock.now = at('2024-01-31')
      await come({ allowance: 10, recurrence: terms('day') })
      clock.now = at('2024-02-10T12:00Z')
      await come({ allowance: 100 })
      expect(await periods('2024-02-11', '2024-02-28', '2024-02-29')).toEqual([100, 100, 100])
      expect((await told()).filter((entry) => entry.startsWith('+'))).toEqual([
        '+10 allowance:2024-01-31 2024-01-31T00:00', '+10 allowance:2024-02-10 2024-02-10T00:00',
        '+100 allowance:2024-02-11 2024-02-11T00:00', '+100 allowance:2024-02-29 2024-02-29T00:00',
      ])
      clock.now = at('2024-03-31')
      expect((await told()).at(-1)).toBe('+100 allowance:2024-03-31 2024-03-31T00:00')
    })
    test('of 0 end it with its period', async () => {
      await come()
      await come({ allowance: 0 })
      expect(await periods('2024-11-03', '2024-11-04', '2025-11-04')).toEqual([100, 0, 0])
      expect(await posted()).toHaveLength(2)
    })
    test('are not those of a command that says nothing of them', async () => {
      await come()
      await rig.reserve({ reservation: 'r2', allowance: 999, ceiling: 0 })
      expect(await periods('2024-10-05', '2024-11-04', '2024-12-04')).toEqual([100, 100, 100])
      await rig.reserve({ reservation: 'r3', allowance: 0, ceiling: 0 })
      expect(await periods('2025-01-04')).toEqual([100])
    })
    test('come beside an allowance that was given once', async () => {
      await rig.reserve({ ceiling: 0, ttlMs: 0 })
      clock.now += DAY
      await come({ allowance: 20 })
      await come({ allowance: 20 })
      expect(await told()).toEqual(['+100 allowance 2024-10-04T00:00', '+20 allowance:2024-10-05 2024-10-05T00:00'])
      expect(await periods('2024-11-05')).toEqual([120])
    })
    test('and an allowance that is given once do not add up the other way round', async () => {
      await come()
      await rig.reserve({ reservation: 'r2', ceiling: 0 })
      expect(await told()).toEqual(['+100 allowance:2024-10-04 2024-10-04T00:00'])
    })
  })

  describe('the calendar', () => {
    /** The next day after `from` on which a period begins, found by looking at one day after the other. */
    const nextStart = (from: number, anchor: number) => {
      const isStart = (time: number) => {
        const [date, tomorrow] = [new Date(time).getUTCDate(), new Date(time + DAY).getUTCDate()]
        return date === anchor || (date < anchor && tomorrow === 1)
      }
      let time = from + DAY
      while (!isStart(time)) time += DAY
      return time
    }

    test('of months is right on 300 random days of 1970 to 2400', async () => {
      const ends = { day: DAY, month: 0 }
      for (let i = 0; i < 300; i++) {
        const begins = Math.floor(Math.random() * 157_000) * DAY
        clock.now = begins + Math.floor(Math.random() * DAY)
        const account = `${begins} ${i}`
        const refused = await Promise.all((['day', 'month', 'total'] as const).map((window) =>
          reserve({ account, reservation: window, budgets: [{ scope: 's', window, limit: 0 }] })))
        ends.month = nextStart(begins, 1)
        expect(refused.map((reply) => reply.kind === 'over_budget' && reply.resetsAt), account).toEqual([begins + ends.day, ends.month, 0])
        const anchor = new Date(begins).getUTCDate()
        let since = begins
        let until = nextStart(since, anchor)
        expect((await posted(account)).at(-1)!.lots[0]!.expiresAt, account).toBe(until)
        const later = clock.now + Math.floor(Math.random() * 400) * DAY
        while (until <= later) [since, until] = [until, nextStart(until, anchor)]
        clock.now = later
        const date = new Date(since).toISOString().slice(0, 10)
        expect((await posted(account)).at(-1), account).toMatchObject({ reference: `allowance:${date}`, lots: [{ expiresAt: until }] })
      }
    })
  })
}
