import type { Lot, UsageRow } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import { heldByGrant, heldIn } from './rebuild.js'
import type { Check, Finding } from './finding.js'
import type { Tally } from './tally.js'

export type Fault = Omit<Finding, 'account'>

/** Holds what is stored of an account against its entries, and against itself. */
export function faultsOf(stored: StoredAccount, tally: Tally): readonly Fault[] {
  const faults = [...ofEntries(stored, tally), ...ofLots(stored, tally), ...ofReservations(stored), ...ofBudgets(stored), ...ofGrants(stored, tally), ...ofAllowance(stored, tally), ...ofRefunds(stored, tally), ...ofUsage(stored, tally)]
  const unreadable = stored.unreadable.map(({ field, text }) => fault('readable', 'what a store writes', text, field))
  // What can't be read can't be held against anything.
  return [...unreadable, ...faults.filter(({ check }) => !stored.unreadable.some(({ field }) => READS[check]?.test(field)))]
}

/** The fields that a check reads: those of an account, or of its reservations. */
const READS: Readonly<Partial<Record<Check, RegExp>>> = {
  balance: /^:balance$/,
  plain: /^:(?:balance|lots)$/,
  lots: /^:lots$/,
  held: /^(?::lots$|[^:])/,
  reserved: /^(?::reserved$|[^:])/,
  budgets: /^[^:]/,
  available: /^:(?:balance|reserved)$/,
  usage: /^:(?:days|u\d+)$/,
}

function ofEntries({ balance }: StoredAccount, tally: Tally): readonly Fault[] {
  const { broken } = tally
  return [
    ...equal('balance', tally.balance, balance),
    ...(broken ? equal('entries', broken.expected, broken.found, `entry ${broken.id}`) : []),
  ]
}

function ofLots({ balance, lots, open }: StoredAccount, tally: Tally): readonly Fault[] {
  const found = new Map(lots.map((lot) => [lot.grant, lot]))
  const expected = new Map(tally.lots.left.map((lot) => [lot.grant, lot]))
  const held = heldByGrant(open)
  const faults = [
    ...atLeastZero('plain', balance - sum(lots, ({ left }) => left)),
    ...keys(found, expected).flatMap((grant) => equal('lots', expected.get(grant)?.left ?? 0, found.get(grant)?.left ?? 0, `grant ${grant}`)),
    ...keys(found, held).flatMap((grant) => equal('held', held.get(grant) ?? 0, found.get(grant)?.held ?? 0, `grant ${grant}`)),
  ]
  return faults.length > 0 ? faults : same('lots', tally.lots.left.map(termsOf).join(', '), lots.map(termsOf).join(', '), 'terms and order')
}

function ofReservations({ balance, reserved, open }: StoredAccount): readonly Fault[] {
  return [...equal('reserved', sum(open, ({ ceiling }) => ceiling), reserved), ...atLeastZero('available', balance - reserved)]
}

function ofBudgets({ budgets, open }: StoredAccount): readonly Fault[] {
  return budgets.flatMap((budget) => equal('budgets', heldIn(budget, open), budget.held, `${budget.scope}, ${budget.window}`))
}

/** A grant of nothing has no entry, but its id is remembered. */
function ofGrants({ grants }: StoredAccount, tally: Tally): readonly Fault[] {
  return keys(grants, tally.grants).flatMap((grant) => equal('grants', tally.grants.get(grant) ?? 0, grants.get(grant) ?? 0, `grant ${grant}`))
}

function ofAllowance({ provisioned, recurs }: StoredAccount, { allowed, recurring }: Tally): readonly Fault[] {
  return [
    ...(allowed && !provisioned ? [fault('allowance', 'given', 'not given')] : []),
    ...(recurring && !recurs ? [fault('allowance', `${credits(recurring.amount)} every ${recurring.every}`, 'none', 'recurring')] : []),
  ]
}

function ofRefunds({ refunds, refundsById }: StoredAccount, tally: Tally): readonly Fault[] {
  return keys(refunds, tally.refunded).flatMap((reservation) => {
    const given = refunds.get(reservation) ?? 0
    const entered = tally.refunded.get(reservation) ?? 0
    const most = Math.max(given, entered)
    const at = `reservation ${reservation}`
    return [
      ...equal('refunds', entered, given, at),
      ...equal('refunds', entered, refundsById.get(reservation) ?? 0, `${at}, one by one`),
      ...(most > tally.charged(reservation) ? [fault('refunds', `at most ${credits(tally.charged(reservation))}`, credits(most), at)] : []),
    ]
  })
}

function ofUsage({ usage, usageDay }: StoredAccount, tally: Tally): readonly Fault[] {
  const since = tally.since(usageDay)
  const [wanted, there] = [byDayAndProduct(tally.usage(since)), byDayAndProduct(usage.filter(({ day }) => day >= since))]
  return keys(there, wanted).flatMap((key) => {
    const { calls, charged, refunded } = wanted.get(key) ?? UNUSED
    const found = there.get(key) ?? UNUSED
    return [
      ...equal('usage', charged, found.charged, `charged on ${dated(key)}`),
      ...equal('usage', refunded, found.refunded, `refunded on ${dated(key)}`),
      // What cost nothing is a call as well, and has no entry.
      ...(found.calls >= calls ? [] : [fault('usage', `at least ${calls}`, found.calls, `calls on ${dated(key)}`)]),
    ]
  })
}

const UNUSED = { calls: 0, charged: 0, refunded: 0 }

function byDayAndProduct(rows: readonly UsageRow[]): ReadonlyMap<string, UsageRow> {
  return new Map(rows.map((row) => [`${row.day} ${row.product}`, row]))
}

function termsOf({ grant, priority, expiresAt, source }: Lot): string {
  return `${grant} (priority ${priority}, ${expiresAt === 0 ? 'does not end' : `ends ${new Date(expiresAt).toISOString()}`}, ${source})`
}

function keys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...a.keys(), ...b.keys()])]
}

/** `20400 search` as `2025-11-08, search`. */
function dated(key: string): string {
  const [, day, product] = /^(\d+) (.*)$/s.exec(key) as unknown as [string, string, string]
  return `${new Date(Number(day) * 86_400_000).toISOString().slice(0, 10)}, ${product}`
}

function equal(check: Check, expected: number, found: number, at?: string): readonly Fault[] {
  return expected === found ? [] : [fault(check, credits(expected), credits(found), at)]
}

function same(check: Check, expected: string, found: string, at: string): readonly Fault[] {
  return expected === found ? [] : [fault(check, expected, found, at)]
}

function atLeastZero(check: Check, found: number): readonly Fault[] {
  return found >= 0 ? [] : [fault(check, 'at least 0', credits(found))]
}

function fault(check: Check, expected: number | string, found: number | string, at?: string): Fault {
  return { check, ...(at !== undefined && { at }), expected, found }
}

function credits(micro: number): number {
  return micro / 1_000_000
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0)
}
