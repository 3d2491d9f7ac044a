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
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('extend' as const), account: fc.constant(account), reservation: id('r'), ttlMs: fc.constantFrom(60_000, 300_000) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('refund' as const), account: fc.constant(account), refund: id('f'), reservation: id('r'), entry: fc.integer({ min: 1, max: 12 }).map(String), amount: fc.oneof(fc.constant(0), amount), reason: fc.constant('') }) },
)
const step = fc.record({ elapsed: fc.constantFrom(0, 1, 500, 20_000, 60_000), command })

function entriesOf({ journal }: AccountState): LedgerEntry[] {
  const entries: LedgerEntry[] = []
  for (let at = journal; at; at = at.previous) entries.push(at.entry)
  return entries.reverse()
}

/** Most refunds name a charge that there is. */
function aimed(command: LedgerCommand, state: AccountState): LedgerCommand {
  if (command.kind !== 'refund' || Number(command.entry) > 10) return command
  const charges = entriesOf(state).filter(({ kind }) => kind === 'charge')
  const charge = charges.at(-1 - Number(command.entry) % Math.max(1, charges.length))
  return charge ? { ...command, entry: charge.id, reservation: charge.reference } : command
}

function check(state: AccountState): void {
  const entries = entriesOf(state)
  const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
  const open = state.reservations.entries().flatMap(([, reservation]) => (reservation.kind === 'open' ? [reservation] : []))
  expect(state.balance).toBe(sum(entries.map((entry) => entry.amount)))
  expect(state.reserved).toBe(sum(open.map(({ ceiling }) => ceiling)))
  expect(state.balance - state.reserved).toBeGreaterThanOrEqual(0)
  const plain = state.balance - sum(state.lots.map(({ left }) => left))
  const plainHeld = state.reserved - sum(state.lots.map(({ held }) => held))
  expect(plainHeld).toBeGreaterThanOrEqual(0)
  expect(plain).toBeGreaterThanOrEqual(plainHeld)
  for (const { grant, left, held, expiresAt } of state.lots) {
    expect(held).toBe(sum(open.flatMap(({ shares }) => shares).filter((share) => share.grant === grant).map((share) => share.amount)))
    expect(left).toBeGreaterThanOrEqual(held)
    expect(left).toBeGreaterThan(0)
    if (expiresAt > 0 && left > held) expect(state.sweepAt - expiresAt).toBeLessThanOrEqual(0)
  }
  const charged = 0 - sum(entries.filter(({ kind }) => kind === 'charge').map((entry) => entry.amount))
  const refunded = sum(entries.filter(({ kind }) => kind === 'refund').map((entry) => entry.amount))
  const used = state.usage.entries().map(([, usage]) => usage)
  expect(sum(used.map((usage) => usage.charged))).toBe(charged)
  expect(sum(used.map((usage) => usage.refunded))).toBe(refunded)
  expect(refunded).toBeLessThanOrEqual(charged)
  for (const { kind, amount } of entries) expect(kind === 'grant' || kind === 'refund' ? amount : -amount).toBeGreaterThanOrEqual(0)
}

/** What is left of an account after a day without anybody: no credits that have ended, and none that are held. */
const aDayLater = (state: AccountState, now: number) => apply(state, { kind: 'balance', account }, now + 86_400_000)[0]

it('the books of an account add up after every step', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    let state = emptyAccount
    let now = START
    for (const { elapsed, command } of steps) {
      now += elapsed
      ;[state] = apply(state, aimed(command, state), now)
      check(state)
      for (const lot of state.lots) if (lot.expiresAt > 0 && lot.expiresAt <= now) expect(lot.left).toBe(lot.held)
    }
    check(aDayLater(state, now))
    expect(aDayLater(state, now)).toMatchObject({ reserved: 0, lots: state.lots.filter(({ expiresAt }) => expiresAt === 0).map((lot) => ({ ...lot, held: 0 })) })
  }), { numRuns: 500 })
}, 120_000)
