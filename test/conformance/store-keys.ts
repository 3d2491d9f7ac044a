import { CLOSED_KEPT_MS, RECORD_KEPT_MS } from '@farebox/core'
import { describe, expect, test } from 'vitest'
import { ODD_TEXTS, standing, type Rig } from './store-rig.js'

/** The rules of idempotency keys. */
export function testKeys(rig: Rig): void {
  describe('an idempotency key', () => {
    const { clock, reserve, settle, release, extend, balance, usage } = rig
    const k1 = { key: 'k1', payload: 'p1' }
    const again = (given: Parameters<typeof reserve>[0] = {}) => reserve({ reservation: 'r2', ...k1, ...given })
    const settleK1 = (given: Parameters<typeof settle>[0] = {}) => settle({ ...k1, response: '{"done":true}', ...given })

    test('that is taken by a reservation tells another call so, and sets nothing aside for it', async () => {
      await reserve(k1)
      clock.now += 1_000
      expect(await again()).toEqual({ kind: 'in_progress', now: clock.now, expiresAt: clock.now + 59_000, ...standing(100, 30) })
      await extend()
      expect(await again()).toMatchObject({ kind: 'in_progress', expiresAt: clock.now + 60_000 })
    })
    test('tells the very same reserve, sent again, what it told it before', async () => {
      const first = await reserve(k1)
      expect(await reserve(k1)).toEqual(first)
    })
    test('belongs to the call that reserves, whatever the allowance', async () => {
      await reserve(k1)
      expect(await again({ allowance: 1_000, ceiling: 9_999 })).toMatchObject({ kind: 'in_progress', ...standing(100, 30) })
    })

    test('answers with the charge, the ceiling and the response once its call is settled', async () => {
      await reserve(k1)
      await settleK1()
      const replay = { kind: 'replayed', ceiling: 30, charge: 20, response: '{"done":true}', pending: false, ...standing(80, 0) }
      expect(await again()).toEqual(replay)
      clock.now += RECORD_KEPT_MS - 1
      expect(await again()).toEqual(replay)
      expect((await usage()).rows).toMatchObject([{ calls: 1, charged: 20 }])
      clock.now += 1
      expect(await again()).toMatchObject({ kind: 'reserved', ...standing(80, 30) })
    })
    test('says what was charged in the end: no more than the ceiling, and of a late charge what could be taken', async () => {
      await reserve(k1)
      await settleK1({ charge: 31, response: '' })
      expect(await again()).toMatchObject({ kind: 'replayed', ceiling: 30, charge: 30, response: '' })
      await reserve({ reservation: 'r3', key: 'k3', ceiling: 70 })
      clock.now += 60_000
      await reserve({ reservation: 'r4', ceiling: 65 })
      await settle({ reservation: 'r3', key: 'k3', ceiling: 70, charge: 70 })
      expect(await reserve({ reservation: 'r5', key: 'k3' })).toMatchObject({ kind: 'replayed', ceiling: 70, charge: 5 })
    })
    test('keeps the first answer when its call is settled again or released, also when its end is forgotten', async () => {
      await reserve(k1)
      await settleK1()
      await settleK1({ charge: 1, response: 'other' })
      await release({ key: 'k1' })
      expect(await again()).toMatchObject({ kind: 'replayed', charge: 20, response: '{"done":true}' })
      clock.now += CLOSED_KEPT_MS
      expect(await release({ key: 'k1' })).toMatchObject({ kind: 'released' })
      expect(await again()).toMatchObject({ kind: 'replayed', charge: 20, response: '{"done":true}' })
    })

    test('with another payload is a mismatch, in flight and afterwards', async () => {
      await reserve(k1)
      expect(await again({ payload: 'p2' })).toEqual({ kind: 'mismatch', ...standing(100, 30) })
      await settleK1()
      expect(await again({ payload: 'p2' })).toEqual({ kind: 'mismatch', ...standing(80, 0) })
      expect(await again({ payload: '' })).toMatchObject({ kind: 'mismatch' })
    })

    test('is free after a refusal', async () => {
      expect(await reserve({ ...k1, ceiling: 101 })).toMatchObject({ kind: 'insufficient' })
      expect(await again({ payload: 'p2' })).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
    })
    test('is free after a conflict', async () => {
      await reserve()
      expect(await reserve({ ...k1, ceiling: 31 })).toMatchObject({ kind: 'conflict' })
      expect(await again()).toMatchObject({ kind: 'reserved' })
    })
    test('is free after a release', async () => {
      await reserve(k1)
      await release({ key: 'k1' })
      expect(await again({ payload: 'p2' })).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
    })
    test('is free once the reservation of its call has expired', async () => {
      await reserve(k1)
      clock.now += 59_999
      expect(await again()).toMatchObject({ kind: 'in_progress' })
      clock.now += 1
      expect(await again({ payload: 'p2' })).toMatchObject({ kind: 'reserved', ...standing(100, 30) })
    })
    test('is free when its call is settled without it', async () => {
      await reserve(k1)
      await settle()
      expect(await again()).toMatchObject({ kind: 'reserved' })
    })

    test('that has passed to another call stays with it when the first is settled late', async () => {
      await reserve(k1)
      clock.now += 60_000
      await again({ payload: 'p2' })
      expect(await settleK1({ response: 'first' })).toMatchObject({ kind: 'settled', late: true, charge: 20 })
      expect(await reserve({ reservation: 'r3', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'in_progress' })
      await settle({ reservation: 'r2', key: 'k1', payload: 'p2', charge: 7, response: 'second' })
      clock.now += CLOSED_KEPT_MS
      await settleK1({ reservation: 'r9', response: 'third' })
      expect(await reserve({ reservation: 'r3', key: 'k1', payload: 'p2' })).toMatchObject({ kind: 'replayed', charge: 7, response: 'second' })
    })
    test('that has passed to another call stays with it when the first is released', async () => {
      await reserve(k1)
      clock.now += 60_000
      await again()
      await release({ key: 'k1' })
      expect(await reserve({ reservation: 'r3', ...k1 })).toMatchObject({ kind: 'in_progress' })
    })
    test('that nobody took meanwhile answers with the late charge of its call', async () => {
      await reserve(k1)
      clock.now += 60_000
      await settleK1()
      expect(await again()).toMatchObject({ kind: 'replayed', charge: 20, response: '{"done":true}' })
    })
    test('is not taken by a settle that moved nothing', async () => {
      expect(await settleK1({ firstSentAt: clock.now - CLOSED_KEPT_MS })).toMatchObject({ kind: 'unknown' })
      expect(await again()).toMatchObject({ kind: 'reserved' })
    })

    test('that answers is no billable call yet: it brings no allowance', async () => {
      await settleK1()
      expect(await again()).toMatchObject({ kind: 'replayed', charge: 0, ...standing(0, 0) })
      expect(await balance()).toMatchObject({ provisioned: false })
    })

    test('of another account, and no key at all, are never it', async () => {
      await reserve(k1)
      await settleK1()
      expect(await reserve({ account: 'bob', ...k1 })).toMatchObject({ kind: 'reserved' })
      await reserve({ reservation: 'r3' })
      await settle({ reservation: 'r3', response: 'never seen' })
      expect(await reserve({ reservation: 'r4' })).toMatchObject({ kind: 'reserved' })
    })
    test('can be any text, and payload and response come back as they were', async () => {
      const keys = ODD_TEXTS.filter((text) => text !== '')
      for (const [i, text] of keys.entries()) {
        await reserve({ reservation: `r ${text}`, key: text, payload: text, allowance: 10_000 })
        await settle({ reservation: `r ${text}`, key: text, payload: text, response: text, charge: i })
      }
      for (const [i, text] of keys.entries()) {
        expect(await again({ key: text, payload: text })).toMatchObject({ kind: 'replayed', charge: i, response: text })
        expect(await again({ key: text, payload: `${text}.` })).toMatchObject({ kind: 'mismatch' })
      }
    })
    test('of two accounts never meet, wherever a name ends', async () => {
      await reserve({ account: 'a', key: 'b:c' })
      expect(await reserve({ account: 'a:b', key: 'c' })).toMatchObject({ kind: 'reserved' })
      expect(await reserve({ account: 'a:b', key: 'c', reservation: 'r2' })).toMatchObject({ kind: 'in_progress' })
    })
    test('answers with 256 KB as well', async () => {
      const response = JSON.stringify({ text: '"\\\n\u0000é💸 %20:{}'.repeat(10_000) })
      await reserve(k1)
      await settleK1({ response })
      expect(await again()).toMatchObject({ response })
    })

    test('is seen by the commands sent at the same time', async () => {
      const [first, second, settled, third, other] = await Promise.all([
        reserve(k1), again(), settleK1(), reserve({ reservation: 'r3', ...k1 }), again({ payload: 'p2' }),
      ])
      expect([first.kind, second.kind, settled.kind, third.kind, other.kind]).toEqual(['reserved', 'in_progress', 'settled', 'replayed', 'mismatch'])
      const [, , freed] = await Promise.all([reserve({ reservation: 'r4', key: 'k4' }), release({ reservation: 'r4', key: 'k4' }), reserve({ reservation: 'r5', key: 'k4' })])
      expect(freed).toMatchObject({ kind: 'reserved', ...standing(80, 30) })
      expect(await balance()).toMatchObject(standing(80, 30))
    })
  })
}
