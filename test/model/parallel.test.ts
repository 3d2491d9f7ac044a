import type { Command, Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

/** Stores with a connection each, as separate processes would have. */
let stores: readonly Store[] = []
const prefix = crypto.randomUUID()

beforeAll(() => { stores = Array.from({ length: 4 }, () => redisStore(inject('redisUrl'), { prefix })) })
afterAll(() => Promise.all(stores.map((store) => store.close())))

test('of 20 calls of 75 against 500, from four connections at once, exactly 6 are reserved', async () => {
  for (let round = 0; round < 20; round++) {
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) =>
      stores[i % 4]!.send({ kind: 'reserve', account: `round ${round}`, reservation: `r${i}`, ceiling: 75, allowance: 500, ttlMs: 60_000, key: '', payload: '' })))
    expect(replies.filter(({ kind }) => kind === 'reserved')).toHaveLength(6)
    expect(await stores[0]!.send({ kind: 'balance', account: `round ${round}` })).toMatchObject({ balance: 500, reserved: 450, available: 50 })
  }
})

test('of 20 calls under one idempotency key, from four connections at once, exactly one is reserved, and one charge answers the others', async () => {
  for (let round = 0; round < 20; round++) {
    const call = (i: number) => ({ account: `keyed ${round}`, reservation: `r${i}`, ceiling: 5, key: 'k', payload: 'p' })
    const send = (i: number) => stores[i % 4]!.send({ kind: 'reserve', ...call(i), allowance: 500, ttlMs: 60_000 })
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i)))
    expect(replies.filter(({ kind }) => kind === 'in_progress')).toHaveLength(19)
    const first = replies.findIndex(({ kind }) => kind === 'reserved')
    await stores[0]!.send({ kind: 'settle', ...call(first), charge: 3, product: 'a', firstSentAt: Date.now(), response: 'done' })
    const later = await Promise.all(Array.from({ length: 20 }, (_, i) => send(100 + i)))
    for (const reply of later) expect(reply).toMatchObject({ kind: 'replayed', charge: 3, response: 'done', balance: 497, reserved: 0 })
  }
})

test('of 1,000 calls that pass thresholds, each of which looks, from four connections at once, each threshold is told once', async () => {
  const thresholds = [{ kind: 'below', amount: 500 }, { kind: 'used', millionths: 800_000 }, { kind: 'top_up', amount: 300, retryMs: 3_600_000 }] as const
  const crossed = await Promise.all(Array.from({ length: 1_000 }, async (_, i) => {
    const store = stores[i % 4]!
    const call = { account: 'watched', reservation: `r${i}`, ceiling: 1, key: '', payload: '' }
    await store.send({ kind: 'reserve', ...call, allowance: 1_000, ttlMs: 60_000 })
    await store.send({ kind: 'settle', ...call, charge: 1, product: 'a', firstSentAt: Date.now(), response: '' })
    return (await store.send({ kind: 'watch', account: 'watched', watch: `w${i}`, thresholds })).crossed
  }))
  expect(await stores[0]!.send({ kind: 'balance', account: 'watched' })).toMatchObject({ balance: 0, reserved: 0 })
  expect(crossed.flat().sort((a, b) => a.threshold - b.threshold)).toEqual([0, 1, 2].map((threshold) => ({ threshold, number: 1 })))
})

test('of 1,000 calls from four connections at once, none passes a budget', async () => {
  const budgets = [{ scope: 'key', window: 'total', limit: 700 }, { scope: 'team', window: 'month', limit: 10_000 }] as const
  const replies = await Promise.all(Array.from({ length: 1_000 }, (_, i) =>
    stores[i % 4]!.send({ kind: 'reserve', account: 'budgeted', reservation: `r${i}`, ceiling: 7, allowance: 100_000, budgets, ttlMs: 60_000, key: '', payload: '' })))
  expect(replies.filter(({ kind }) => kind === 'reserved')).toHaveLength(100)
  expect(replies.filter((reply) => reply.kind === 'over_budget' && reply.budget === 0)).toHaveLength(900)
  expect(await stores[1]!.send({ kind: 'balance', account: 'budgeted', budgets })).toMatchObject({ budgets: [{ spent: 0, held: 700 }, { spent: 0, held: 700 }] })
})

test('whatever is sent in parallel, and twice: the balance is the sum of the entries, usage the sum of the charges', async () => {
  const accounts = ['ada', 'bob', 'cy']
  const id = fc.integer({ min: 0, max: 40 }).map(String)
  const amount = fc.integer({ min: 0, max: 60 })
  const shared = { account: fc.constantFrom(...accounts), reservation: id }
  const [key, payload] = [fc.constantFrom('', '', 'k1', 'k2'), fc.constant('p')]
  const firstSentAt = Date.now()
  const command = fc.oneof(
    fc.record({ kind: fc.constant('reserve' as const), ...shared, ceiling: amount, allowance: fc.constant(300), ttlMs: fc.constant(60_000), key, payload }),
    fc.record({ kind: fc.constant('settle' as const), ...shared, ceiling: amount, charge: amount, product: fc.constantFrom('a', 'b'), firstSentAt: fc.constant(firstSentAt), key, payload, response: fc.constant('{}') }),
    fc.record({ kind: fc.constant('release' as const), ...shared, key }),
    fc.record({ kind: fc.constant('grant' as const), account: shared.account, grant: id, amount: fc.constant(7), reason: fc.constant('top-up'), source: fc.constant(''), priority: fc.constantFrom(10, 50), expiresAt: fc.constant(0) }),
  )
  const commands: Command[] = fc.sample(command, { numRuns: 1_500, seed: Number(process.env['FAREBOX_SEED'] ?? Date.now()) })
  await Promise.all([...commands, ...commands].map((command, i) => stores[i % 4]!.send(command)))

  for (const account of accounts) {
    const { balance, reserved } = await stores[0]!.send({ kind: 'balance', account })
    const { entries } = await stores[1]!.send({ kind: 'entries', account, after: '', limit: 10_000 })
    const { rows } = await stores[2]!.send({ kind: 'usage', account })
    expect(sum(entries.map(({ amount }) => amount))).toBe(balance)
    expect(sum(rows.map(({ charged }) => charged))).toBe(-sum(entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => amount)))
    expect(entries.filter(({ reference }) => reference === 'allowance')).toHaveLength(1)
    expect(new Set(entries.map(({ kind, reference }) => `${kind} ${reference}`)).size).toBe(entries.length)
    expect(reserved).toBeGreaterThanOrEqual(0)
    expect(reserved).toBeLessThanOrEqual(balance)
  }
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
