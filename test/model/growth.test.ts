import { apply, emptyAccount, type Budget, type LedgerCommand } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import { Redis } from 'ioredis'
import { afterAll, expect, inject, test } from 'vitest'
import { plain } from './plain.js'
import { readAccounts } from './stored.js'

const DAY = 86_400_000
const START = 20_000 * DAY

const redis = new Redis(inject('redisUrl'))
afterAll(() => redis.quit())

const scopes = Array.from({ length: 5 }, (_, i) => `key:${i}`)
const budgets: Budget[] = scopes.flatMap((scope) => (['day', 'month', 'total'] as const).map((window) => ({ scope, window, limit: 1_000_000 })))

/** A day's calls of an account with everything there is; each day brings a scope of its own. */
function callsOf(day: number): LedgerCommand[] {
  const now = START + day * DAY
  const own = { scope: `day ${day}`, window: 'day', limit: 100 } as const
  const call = { account: 'ada', reservation: `r${day}`, ceiling: 30, key: '', payload: '' }
  return [
    { kind: 'reserve', ...call, allowance: 100, recurrence: { every: 'day', rollover: 50 }, budgets: [...budgets, own], ttlMs: 60_000 },
    { kind: 'settle', ...call, charge: 20, product: 'a', firstSentAt: now, response: '' },
    { kind: 'reserve', ...call, reservation: `left ${day}`, allowance: 100, budgets: [own], ttlMs: 60_000 },
    { kind: 'watch', account: 'ada', watch: `w${day}`, thresholds: [{ kind: 'below', amount: 110 }, { kind: 'used', millionths: 500_000 }, { kind: 'top_up', amount: 50, retryMs: 1_000 }] },
  ]
}

test('what an account keeps does not grow with the days: windows, lots and reservations that have ended are forgotten', async () => {
  const prefix = crypto.randomUUID()
  let now = START
  let state = emptyAccount
  const store = redisStore(redis, { prefix, now: () => now })
  const sizes: number[] = []
  let key: string | undefined
  for (let day = 0; day < 400; day++) {
    now = START + day * DAY
    for (const command of callsOf(day)) [state] = apply(state, command, now)
    await Promise.all(callsOf(day).map((command) => store.send(command)))
    key ??= (await redis.keys(`${prefix}:*:account:ada`))[0]!
    sizes.push(await redis.hlen(key))
    const kept = plain(state, now, false)
    expect(Object.keys(kept.budgets)).toHaveLength(budgets.length + 1)
    expect(kept.lots.length).toBeLessThanOrEqual(2)
    expect(Object.keys(kept.reservations)).toHaveLength(2)
    expect(Object.keys(kept.alerts)).toHaveLength(3)
    if (day % 40 === 39) expect((await readAccounts(redis, prefix, now)).get('ada')).toEqual(kept)
  }
  expect(Math.max(...sizes.slice(31))).toBe(sizes[31])
  // A look is enough: the day and the month are over, what has no end stays.
  now += 40 * DAY
  await store.send({ kind: 'balance', account: 'ada' })
  expect(Object.keys((await readAccounts(redis, prefix, now)).get('ada')!.budgets).sort()).toEqual(scopes.map((scope) => `total ${scope}`))
})

test('a batch that changes more windows than Lua can unpack at once is carried out', async () => {
  const prefix = crypto.randomUUID()
  const store = redisStore(redis, { prefix, now: () => START })
  const commands = Array.from({ length: 128 }, (_, call): LedgerCommand => ({
    kind: 'reserve', account: 'ada', reservation: `r${call}`, ceiling: 1, allowance: 1_000, ttlMs: 60_000, key: '', payload: '',
    budgets: Array.from({ length: 40 }, (_, scope) => ({ scope: `${call} ${scope}`, window: 'day', limit: 5 })),
  }))
  const state = commands.reduce((before, command) => apply(before, command, START)[0], emptyAccount)
  expect((await Promise.all(commands.map((command) => store.send(command)))).map(({ kind }) => kind)).toEqual(commands.map(() => 'reserved'))
  expect((await readAccounts(redis, prefix, START)).get('ada')).toEqual(plain(state, START, false))
})
