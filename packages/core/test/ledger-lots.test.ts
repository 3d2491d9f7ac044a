import fc from 'fast-check'
import { expect, it } from 'vitest'
import { apply } from '../src/ledger/apply.js'
import type { LedgerCommand } from '../src/ledger/commands.js'
import { emptyAccount, type AccountState, type LedgerEntry } from '../src/ledger/state.js'

const account = 'ada'
const id = (prefix: string) => fc.integer({ min: 0, max: 5 }).map((i) => `${prefix}${i}`)
const amount = fc.integer({ min: 0, max: 50 })
const START = 1_000_000
const ends = fc.oneof(fc.constant(0), fc.integer({ min: START, max: START + 400_000 }))

const command: fc.Arbitrary<LedgerCommand> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('grant' as const), account: fc.constant(account), grant: fc.uuid(), amount: fc.integer({ min: 1, max: 60 }), reason: fc.constant(''), source: fc.constantFrom('promotion', 'top-up'), priority: fc.constantFrom(10, 50, 50, 90), expiresAt: ends }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('reserve' as const), account: fc.constant(account), reservation: id('r'), ceiling: amount, allowance: fc.constant(20), ttlMs: fc.constantFrom(1_000, 60_000), key: fc.constant(''), payload: fc.constant('') }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('settle' as const), account: fc.constant(account), reservation: id('r'), ceiling: amount, charge: amount, product: fc.constantFrom('a', 'b'), firstSentAt: fc.constant(Number.MAX_SAFE_INTEGER), key: fc.constant(''), payload: fc.constant(''), response: fc.constant('') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), account: fc.constant(account), reservation: id('r'), key: fc.constant('') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('extend' as const), account: fc.constant(account), reservation: id('r'), ttlMs: fc.constant(60_000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refund' as const), account: fc.constant(account), refund: id('f'), reservation: id('r'), entry: fc.integer({ min: 1, max: 12 }).map(String), amount: fc.oneof(fc.constant(0), amount), reason: fc.constant('') }) },
)
const step = fc.record({ elapsed: fc.constantFrom(0, 1, 500, 20_000, 60_000, 130_000), command })

function check(state: AccountState): void {
  const entries: LedgerEntry[] = []
  for (let at = state.journal; at; at = at.previous) entries.unshift(at.entry)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const open = state.reservations.entries().flatMap(([, reservation]) => (reservation.kind === 'open' ? [reservation] : []))
  expect(state.balance).toBe(sum(entries.map((entry) => entry.amount)))
  expect(state.reserved).toBe(sum(open.map(({ ceiling }) => ceiling)))
  expect(state.balance - state.reserved).toBeGreaterThanOrEqual(0)
  const plain = state.balance - sum(state.lots.map(({ left }) => left))
  const plainHeld = state.reserved - sum(state.lots.map(({ held }) => held))
  expect(plainHeld).toBeGreaterThanOrEqual(0)
  expect(plain).toBeGreaterThanOrEqual(plainHeld)
  for (const { grant, left, held } of state.lots) {
    expect(held).toBe(sum(open.flatMap(({ shares }) => shares).filter((share) => share.grant === grant).map((share) => share.amount)))
    expect(left).toBeGreaterThanOrEqual(held)
    expect(left).toBeGreaterThan(0)
  }
  const charged = 0 - sum(entries.filter(({ kind }) => kind === 'charge').map((entry) => entry.amount))
  const refunded = sum(entries.filter(({ kind }) => kind === 'refund').map((entry) => entry.amount))
  const used = state.usage.entries().map(([, usage]) => usage)
  expect(sum(used.map((usage) => usage.charged))).toBe(charged)
  expect(sum(used.map((usage) => usage.refunded))).toBe(refunded)
  expect(refunded).toBeLessThanOrEqual(charged)
}

it('the books of an account add up after every step', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    let state = emptyAccount
    let now = START
    for (const { elapsed, command } of steps) {
      now += elapsed
      ;[state] = apply(state, command, now)
      check(state)
      for (const lot of state.lots) if (lot.expiresAt > 0 && lot.expiresAt <= now) expect(lot.left).toBe(lot.held)
    }
  }), { numRuns: 3_000 })
}, 120_000)
