import type { Budget, Command } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import type { Redis } from 'ioredis'
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'

const DAY = 86_400_000
export const START = 20_000 * DAY
export const CREDIT = 1_000_000

/** Where the accounts are, and when their last call was. */
export interface Books {
  readonly prefix: string
  readonly now: number
}

/** Two accounts, one of which has had every kind of movement, on several days of which the first are not kept any more. */
export async function seed(redis: Redis): Promise<Books> {
  const prefix = `audit-${randomUUID()}`
  let now = START
  const store = redisStore(redis, { prefix, partitions: 16, now: () => now })
  const grant = (id: string, credits: number, priority = 50, expiresAt = 0) =>
    store.send({ kind: 'grant', account: 'ada', grant: id, amount: credits * CREDIT, reason: 'a reason', source: 'promotion', priority, expiresAt })
  const call = (reservation: string, ceiling: number, key = '') => ({ account: 'ada', reservation, key, payload: 'p', ceiling: ceiling * CREDIT })
  const reserve = (id: string, ceiling: number, account = 'ada', key = '', budgets: readonly Budget[] = []) =>
    store.send({ kind: 'reserve', ...call(id, ceiling, key), account, allowance: 20 * CREDIT, ttlMs: 60_000, budgets })
  const settle = (id: string, ceiling: number, charge: number, key = '') =>
    store.send({ kind: 'settle', ...call(id, ceiling, key), charge: charge * CREDIT, product: 'a search', response: 'r', firstSentAt: now })
  const entries = async () => (await store.send({ kind: 'entries', account: 'ada', after: '', limit: 100 })).entries
  const refund = async (id: string, reservation: string, credits: number) => {
    const entry = (await entries()).find(({ kind, reference }) => kind === 'charge' && reference === reservation)!.id
    const reply = await store.send({ kind: 'refund', account: 'ada', refund: id, reservation, entry, amount: credits * CREDIT, reason: '' })
    expect(reply.kind).toBe('refunded')
  }

  await reserve('old', 5)
  await settle('old', 5, 4)
  await reserve('bob', 5, 'bob')
  now += 40 * DAY
  await grant('plain', 100)
  await grant('first', 10, 10, now + 2 * DAY)
  await grant('last', 30, 90)
  await grant('short', 5, 20, now + 1_000)
  await reserve('r1', 12)
  now += 2_000
  await settle('r1', 12, 12)
  await reserve('r2', 8, 'ada', 'a key')
  await settle('r2', 8, 6, 'a key')
  await refund('f1', 'r1', 1)
  await refund('f2', 'r1', 8)
  now += 3 * DAY
  await refund('f3', 'r1', 3)
  await reserve('late', 20)
  now += DAY
  await settle('late', 20, 20)
  await settle('over', 500, 500)
  await grant('again', 50, 10, now + 30 * DAY)
  await reserve('released', 5)
  await store.send({ kind: 'release', account: 'ada', reservation: 'released', key: '' })
  await reserve('operation', 5)
  await store.send({ kind: 'hold', ...call('operation', 5), operation: 'op', product: 'a search', ttlMs: DAY, response: '' } satisfies Command)
  await reserve('open', 3, 'ada', '', [{ scope: 'key: a', window: 'month', limit: 9 * CREDIT }, { scope: 'all', window: 'total', limit: 9 * CREDIT }])
  const all = await entries()
  expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(['grant', 'charge', 'refund', 'expiry']))
  expect(all.some(({ shortfall }) => shortfall > 0)).toBe(true)
  await store.close()
  return { prefix, now }
}
