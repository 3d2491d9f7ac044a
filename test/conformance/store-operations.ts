import { CLOSED_KEPT_MS, RECORD_KEPT_MS } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { ODD_TEXTS, standing, type Rig } from './store-rig.js'

/** The rules of operations. */
export function testOperations(rig: Rig): void {
  describe('an operation', () => {
    const { clock, reserve, settle, release, balance, usage, entries, hold, progress, finish, operation } = rig
    const held = async () => {
      await reserve()
      return hold()
    }
    const pending = (startedAt: number) => ({
      kind: 'operation', operation: 'op1', status: 'pending', reservation: 'r1', product: 'research', ceiling: 30, charge: 0, shortfall: 0,
      late: false, startedAt, finishedAt: 0, progress: '', result: '',
    })
    const k1 = { key: 'k1', payload: 'p1' }

    test('is pending from its hold on, and its reservation stays open', async () => {
      await reserve()
      const startedAt = clock.now
      clock.now += 1_000
      expect(await hold()).toEqual({ ...pending(startedAt), ...standing(100, 30) })
      clock.now += 599_999
      expect(await operation()).toEqual({ ...pending(startedAt), ...standing(100, 30) })
    })
    test('does not shorten its reservation', async () => {
      await reserve()
      await hold({ ttlMs: 1 })
      clock.now += 59_999
      expect(await operation()).toMatchObject({ status: 'pending', ...standing(100, 30) })
    })
    test('held again says how it stands', async () => {
      await held()
      await progress({ progress: 'half' })
      expect(await hold({ ceiling: 99, product: 'other' })).toMatchObject({ status: 'pending', ceiling: 30, product: 'research', progress: 'half' })
      await finish()
      expect(await hold()).toMatchObject({ status: 'succeeded', charge: 20 })
    })
    test('of an id that another reservation has is a conflict, until that is forgotten', async () => {
      await held()
      await reserve({ reservation: 'r2' })
      expect(await hold({ reservation: 'r2' })).toEqual({ kind: 'operation_conflict', ...standing(100, 60) })
      await finish()
      clock.now += RECORD_KEPT_MS - 1
      expect(await hold({ reservation: 'r2' })).toMatchObject({ kind: 'operation_conflict' })
      clock.now += 1
      expect(await hold({ reservation: 'r2' })).toMatchObject({ kind: 'operation', reservation: 'r2' })
    })
    test('of the same id in another account is another one', async () => {
      await held()
      expect(await operation({ account: 'bob' })).toEqual({ kind: 'no_operation', ...standing(0, 0) })
      await reserve({ account: 'bob', reservation: 'r2' })
      expect(await hold({ account: 'bob', reservation: 'r2' })).toMatchObject({ kind: 'operation', status: 'pending' })
    })
    test('that never was is none, to be asked for, to go on or to finish', async () => {
      expect(await operation()).toEqual({ kind: 'no_operation', ...standing(0, 0) })
      expect(await progress()).toEqual({ kind: 'no_operation', ...standing(0, 0) })
      expect(await finish()).toEqual({ kind: 'no_operation', ...standing(0, 0) })
      expect((await usage()).rows).toEqual([])
    })

    test('that succeeds is settled with its charge and keeps its result for RECORD_KEPT_MS', async () => {
      await held()
      const startedAt = clock.now
      clock.now += 500_000
      const done = {
        ...pending(startedAt), status: 'succeeded', charge: 20, finishedAt: clock.now, result: '{"answer":42}', ...standing(80, 0),
      }
      expect(await finish({ result: '{"answer":42}' })).toEqual(done)
      expect((await usage()).rows).toMatchObject([{ product: 'research', calls: 1, charged: 20 }])
      expect((await entries()).entries.at(-1)).toMatchObject({ amount: -20, reference: 'r1', label: 'research' })
      clock.now += RECORD_KEPT_MS - 1
      expect(await operation()).toEqual(done)
      clock.now += 1
      expect(await operation()).toMatchObject({ kind: 'no_operation' })
    })
    test('never costs more than its ceiling', async () => {
      await held()
      expect(await finish({ charge: 31 })).toMatchObject({ charge: 30, ...standing(70, 0) })
    })
    test('that fails costs nothing', async () => {
      await held()
      expect(await finish({ succeeded: 0, charge: 20, result: 'why' })).toMatchObject({ status: 'failed', charge: 0, result: 'why', finishedAt: clock.now, ...standing(100, 0) })
      expect((await usage()).rows).toEqual([])
    })
    test.each([[1, 0], [0, 1]])('finished twice is told the first end (%i, then %i), also when the reservation is forgotten', async (first, second) => {
      await held()
      const end = await finish({ succeeded: first, result: 'first' })
      for (const elapsedMs of [0, 1, CLOSED_KEPT_MS]) {
        clock.now += elapsedMs
        expect(await finish({ succeeded: second, charge: 5, result: 'second' })).toEqual(end)
      }
      expect((await usage()).rows).toHaveLength(first)
    })
    test('finished under another reservation than its own ends its own', async () => {
      await held()
      await reserve({ reservation: 'r2' })
      expect(await finish({ reservation: 'r2' })).toMatchObject({ status: 'succeeded', reservation: 'r1', ...standing(80, 30) })
    })
    test('whose call was settled already costs what it did', async () => {
      await held()
      await settle({ charge: 7 })
      expect(await finish()).toMatchObject({ status: 'succeeded', charge: 7, ...standing(93, 0) })
    })

    test('has expired when its reservation has, and gives the credits back', async () => {
      await held()
      clock.now += 600_000
      expect(await operation()).toMatchObject({ status: 'expired', finishedAt: 0, ...standing(100, 0) })
      clock.now += RECORD_KEPT_MS - 1
      expect(await operation()).toMatchObject({ status: 'expired' })
      clock.now += 1
      expect(await operation()).toMatchObject({ kind: 'no_operation' })
    })
    test('finished after it expired is charged late, once, from what is left', async () => {
      await held()
      clock.now += 600_000 + CLOSED_KEPT_MS
      await reserve({ reservation: 'r2', ceiling: 95 })
      const end = await finish({ result: 'late' })
      expect(end).toMatchObject({ status: 'succeeded', charge: 5, shortfall: 15, late: true, result: 'late', ...standing(95, 95) })
      expect(await operation()).toEqual(end)
      expect(await finish()).toEqual(end)
      expect((await usage()).rows).toMatchObject([{ calls: 1, charged: 5 }])
    })
    test('whose reservation had expired or ended before it was held is known all the same', async () => {
      await reserve()
      clock.now += 60_000
      expect(await hold()).toMatchObject({ status: 'expired', startedAt: clock.now, ...standing(100, 0) })
      expect(await finish()).toMatchObject({ status: 'succeeded', late: true, charge: 20, ...standing(80, 0) })
      await reserve({ reservation: 'r2' })
      await release({ reservation: 'r2' })
      expect(await hold({ operation: 'op2', reservation: 'r2' })).toMatchObject({ status: 'expired' })
      expect(await finish({ operation: 'op2', reservation: 'r2' })).toMatchObject({ status: 'succeeded', charge: 0, ...standing(80, 0) })
    })

    test('goes on as long as it says so', async () => {
      await held()
      clock.now += 599_999
      expect(await progress({ progress: '50 %', ttlMs: 600_000 })).toMatchObject({ status: 'pending', progress: '50 %', ...standing(100, 30) })
      clock.now += 599_999
      expect(await operation()).toMatchObject({ status: 'pending', progress: '50 %' })
      clock.now += 1
      expect(await operation()).toMatchObject({ status: 'expired', progress: '50 %' })
      clock.now += RECORD_KEPT_MS - 1
      expect(await operation()).toMatchObject({ status: 'expired' })
      clock.now += 1
      expect(await operation()).toMatchObject({ kind: 'no_operation' })
    })
    test('keeps its deadline, or its progress, where a progress has none', async () => {
      await held()
      clock.now += 1_000
      await progress({ progress: 'half', ttlMs: 0 })
      expect(await progress({ progress: '', ttlMs: 1 })).toMatchObject({ progress: 'half' })
      clock.now += 598_999
      expect(await operation()).toMatchObject({ status: 'pending' })
      clock.now += 1
      expect(await operation()).toMatchObject({ status: 'expired' })
    })
    test('that has expired or is finished does not go on', async () => {
      await held()
      clock.now += 600_000
      expect(await progress({ progress: 'more', ttlMs: 600_000 })).toMatchObject({ status: 'expired', progress: '', ...standing(100, 0) })
      await finish()
      expect(await progress({ progress: 'more', ttlMs: 600_000 })).toMatchObject({ status: 'succeeded', progress: '' })
    })

    test('answers for the key of its call while it is pending', async () => {
      await reserve(k1)
      await hold({ ...k1, response: '{"operationId":"op1"}' })
      expect(await reserve({ reservation: 'r2', ...k1 })).toEqual(
        { kind: 'replayed', ceiling: 30, charge: 0, response: '{"operationId":"op1"}', pending: true, ...standing(100, 30) })
      expect(await reserve({ reservation: 'r2', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'mismatch' })
    })
    test('whose response was not kept keeps the key in progress', async () => {
      await reserve(k1)
      await hold(k1)
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'in_progress', expiresAt: clock.now + 600_000 })
    })
    test('that succeeded answers for the key with its charge and the response of its call', async () => {
      await reserve(k1)
      await hold({ ...k1, response: '{"operationId":"op1"}' })
      await finish({ key: 'k1', result: 'the result' })
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'replayed', charge: 20, response: '{"operationId":"op1"}', pending: false })
    })
    test('that failed, or expired, frees the key', async () => {
      await reserve(k1)
      await hold({ ...k1, response: 'r' })
      await finish({ key: 'k1', succeeded: 0 })
      expect(await reserve({ reservation: 'r2', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'reserved' })
      await hold({ reservation: 'r2', operation: 'op2', key: 'k1', payload: 'p2', response: 'r' })
      clock.now += 600_000
      expect(await reserve({ reservation: 'r3', ...k1 })).toMatchObject({ kind: 'reserved' })
    })
    test('leaves a key alone that has passed to another call', async () => {
      await reserve(k1)
      clock.now += 60_000
      await reserve({ reservation: 'r2', key: 'k1', payload: 'p2' })
      await hold({ ...k1, response: 'first' })
      expect(await reserve({ reservation: 'r3', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'in_progress' })
      await finish({ key: 'k1' })
      expect(await reserve({ reservation: 'r3', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'in_progress' })
      await settle({ reservation: 'r2', key: 'k1', payload: 'p2', charge: 3, response: 'second' })
      expect(await reserve({ reservation: 'r3', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'replayed', charge: 3, response: 'second' })
    })
    test('keeps its key while it goes on, however long: the call is not sold twice', async () => {
      await reserve(k1)
      await hold({ ...k1, ttlMs: 2 * RECORD_KEPT_MS, response: 'r' })
      clock.now += 2 * RECORD_KEPT_MS - 1
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'replayed', pending: true })
      await progress({ key: 'k1', ttlMs: 2 * RECORD_KEPT_MS })
      clock.now += 2 * RECORD_KEPT_MS - 1
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'replayed', pending: true })
      await finish({ key: 'k1' })
      clock.now += RECORD_KEPT_MS - 1
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'replayed', pending: false, charge: 20 })
      clock.now += 1
      expect(await reserve({ reservation: 'r2', ...k1 })).toMatchObject({ kind: 'reserved' })
    })
    test('that goes on leaves a key alone that has passed to another call, and one that is free', async () => {
      await reserve(k1)
      await hold({ ...k1, ttlMs: 60_000 })
      await progress({ key: 'k2', ttlMs: 60_000 })
      expect(await reserve({ reservation: 'r2', key: 'k2', payload: 'p' })).toMatchObject({ kind: 'reserved' })
      await settle({ reservation: 'r2', key: 'k2', payload: 'p', response: 'second' })
      await progress({ key: 'k2', ttlMs: 10 * RECORD_KEPT_MS })
      clock.now += RECORD_KEPT_MS
      expect(await reserve({ reservation: 'r3', key: 'k2', payload: 'p' })).toMatchObject({ kind: 'reserved' })
    })

    test('can have any text as its id, progress and result, and two never meet', async () => {
      for (const [i, text] of ODD_TEXTS.entries()) {
        await reserve({ reservation: text, ceiling: i, allowance: 10_000 })
        await hold({ reservation: text, operation: text, product: text, ceiling: i })
        await progress({ operation: text, reservation: text, progress: text })
      }
      for (const [i, text] of ODD_TEXTS.entries()) {
        expect(await finish({ operation: text, reservation: text, charge: i, result: text })).toMatchObject(
          { kind: 'operation', operation: text, status: 'succeeded', reservation: text, product: text, charge: i, progress: text, result: text })
      }
      await reserve({ account: 'a', reservation: 'r2' })
      await hold({ account: 'a', reservation: 'r2', operation: 'b:c' })
      expect(await operation({ account: 'a:b', operation: 'c' })).toMatchObject({ kind: 'no_operation' })
    })
    test('lives its life in one go', async () => {
      const [, first, more, read, end, again] = await Promise.all([
        reserve(k1), hold({ ...k1, response: 'r' }), progress({ progress: 'half' }), operation(), finish({ key: 'k1' }), reserve({ reservation: 'r2', ...k1 }),
      ])
      expect([first, more, read, end].map((reply) => 'status' in reply && reply.status)).toEqual(['pending', 'pending', 'pending', 'succeeded'])
      expect(read).toMatchObject({ progress: 'half' })
      expect(again).toMatchObject({ kind: 'replayed', charge: 20, response: 'r' })
      expect(await balance()).toMatchObject(standing(80, 0))
    })
  })

  describe('insufficient says when enough credits come free', () => {
    const { clock, reserve, settle, extend } = rig
    const freesAt = async (ceiling: number) => {
      const reply = await reserve({ reservation: 'more', ceiling })
      return reply.kind === 'insufficient' ? reply.freesAt - clock.now : reply.kind
    }

    test('by the reservations that expire first, in the order of their deadlines', async () => {
      await reserve({ reservation: 'r1', ceiling: 20, ttlMs: 300 })
      await reserve({ reservation: 'r2', ceiling: 30, ttlMs: 100 })
      await reserve({ reservation: 'r3', ceiling: 40, ttlMs: 200 })
      expect(await freesAt(11)).toBe(100)
      expect(await freesAt(40)).toBe(100)
      expect(await freesAt(41)).toBe(200)
      expect(await freesAt(80)).toBe(200)
      expect(await freesAt(81)).toBe(300)
      expect(await freesAt(100)).toBe(300)
    })
    test('with what expires at one time taken together', async () => {
      for (const reservation of ['r1', 'r2', 'r3']) await reserve({ reservation, ceiling: 30 })
      expect(await freesAt(100)).toBe(60_000)
    })
    test('0 where the balance is too small', async () => {
      await reserve()
      expect(await reserve({ reservation: 'r2', ceiling: 101 })).toMatchObject({ kind: 'insufficient', freesAt: 0, now: clock.now })
    })
    test('anew after each change, and for each account, of those that ask at the same time', async () => {
      for (const account of ['ada', 'bob']) await reserve({ account, ceiling: 60, ttlMs: account === 'ada' ? 100 : 200 })
      const more = (account: string) => reserve({ account, reservation: 'more', ceiling: 50 })
      const replies = await Promise.all([more('ada'), extend({ ttlMs: 300 }), more('ada'), more('bob')])
      expect(replies.map((reply) => 'freesAt' in reply && reply.freesAt - clock.now)).toEqual([100, false, 300, 200])
    })
    test('without those that were extended or have ended, also at the same time', async () => {
      await reserve({ reservation: 'r1', ceiling: 40 })
      await reserve({ reservation: 'r2', ceiling: 30 })
      await reserve({ reservation: 'r3', ceiling: 30 })
      const [, , refused] = await Promise.all([
        settle({ reservation: 'r1', ceiling: 40, charge: 40 }), extend({ reservation: 'r2', ttlMs: 90_000 }), reserve({ reservation: 'r4', ceiling: 60 }),
      ])
      expect(refused).toEqual({ kind: 'insufficient', required: 60, now: clock.now, freesAt: clock.now + 90_000, ...standing(60, 60) })
    })
  })
}
