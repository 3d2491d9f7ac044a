import fc from 'fast-check'
import { expect, it } from 'vitest'
import { apply } from '../src/ledger/apply.js'
import type { LedgerCommand } from '../src/ledger/commands.js'
import { emptyAccount, type AccountState } from '../src/ledger/state.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = 20_000 * DAY
const account = 'ada'
const amount = fc.integer({ min: 0, max: 60 })
const id = fc.integer({ min: 0, max: 5 }).map((i) => `r${i}`)
const call = { account: fc.constant(account), reservation: id, key: fc.constant(''), payload: fc.constant(''), response: fc.constant('') }
const scope = fc.record({ scope: fc.constantFrom('a', 'b'), window: fc.constantFrom('day' as const, 'month' as const, 'total' as const), limit: fc.constant(500) })
/** Terms change now and then, and with them the periods. */
const recurrence = fc.record({ every: fc.constantFrom('day' as const, 'month' as const), rollover: fc.constantFrom(0, 40, 250, 5_000) })

const command: fc.Arbitrary<LedgerCommand> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('reserve' as const), ...call, ceiling: amount, allowance: fc.constantFrom(100, 100, 30), recurrence, budgets: fc.array(scope, { maxLength: 2 }), ttlMs: fc.constantFrom(HOUR, 30 * HOUR, 24 * HOUR, 40 * DAY) }, { requiredKeys: ['kind', 'account', 'reservation', 'key', 'payload', 'ceiling', 'allowance', 'ttlMs'] }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), ...call, ceiling: amount, charge: amount, product: fc.constant('a'), firstSentAt: fc.constant(Number.MAX_SAFE_INTEGER) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), ...call }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('grant' as const), account: fc.constant(account), grant: fc.uuid(), amount: fc.integer({ min: 1, max: 60 }), reason: fc.constant(''), source: fc.constant('promotion'), priority: fc.constantFrom(10, 50, 90), expiresAt: fc.integer({ min: 0, max: 60 }).map((hours) => START + hours * 12 * HOUR) }) },
)
const step = fc.record({ elapsed: fc.constantFrom(0, 0, HOUR, 5 * HOUR, DAY, 3 * DAY, 33 * DAY, 70 * DAY), command })

/** What does not say who looked when: entries of periods in which nobody came, and what is forgotten of late, do. */
function seen(state: AccountState) {
  const { balance, reserved, lots, recurring, topped, provisioned } = state
  const open = state.reservations.entries().filter(([, { kind }]) => kind === 'open').sort(([a], [b]) => (a < b ? -1 : 1))
  return { balance, reserved, lots, recurring, topped, provisioned, open, budgets: Object.fromEntries(state.budgets.entries()) }
}

const look = (state: AccountState, now: number) => apply(state, { kind: 'balance', account }, now)[0]

it('stands at whatever time as if somebody had looked every hour: nothing depends on who looks when', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    let now = START
    let [lazy, eager] = [emptyAccount, emptyAccount]
    for (const { elapsed, command } of steps) {
      for (const until = now + elapsed; now < until; now += HOUR) eager = look(eager, now)
      const [[after, reply], [looked, told]] = [apply(lazy, command, now), apply(eager, command, now)]
      expect(told).toEqual(reply)
      expect(seen(look(looked, now))).toEqual(seen(look(after, now)))
      ;[lazy, eager] = [after, looked]
    }
  }), { numRuns: Number(process.env['FAREBOX_LAZY_RUNS'] ?? 150) })
}, 600_000)
