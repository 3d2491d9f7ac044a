import type { StoredAccount } from '@farebox/redis/inspect'
import { USAGE_DAYS } from '@farebox/core'
import type { Check, Finding } from './finding.js'
import { Tally } from './tally.js'

type Fault = Omit<Finding, 'account'>

/** Holds what is stored of an account against its entries, and against itself. */
export async function faultsOf(stored: StoredAccount): Promise<readonly Fault[]> {
  const tally = new Tally(stored.refunds, stored.usageDay - USAGE_DAYS + 1)
  for await (const page of stored.entries()) for (const entry of page) tally.add(entry)
  return [...ofEntries(stored, tally), ...ofLots(stored, tally), ...ofReservations(stored), ...ofRefunds(stored, tally), ...ofUsage(stored, tally)]
}

function ofEntries({ balance }: StoredAccount, tally: Tally): readonly Fault[] {
  const { broken } = tally
  return [
    ...equal('balance', tally.balance, balance),
    ...(broken ? equal('entries', broken.expected, broken.found, `entry ${broken.id}`) : []),
  ]
}

function ofLots({ balance, lots, grants, open }: StoredAccount, { taken }: Tally): readonly Fault[] {
  const byGrant = new Map(lots.map((lot) => [lot.grant, lot]))
  const held = new Map<string, number>()
  for (const { grant, amount } of open.flatMap(({ shares }) => shares)) held.set(grant, (held.get(grant) ?? 0) + amount)
  return [
    ...atLeastZero('plain', balance - sum(lots, ({ left }) => left)),
    ...[...new Set([...byGrant.keys(), ...taken.keys()])].flatMap((grant) =>
      equal('lots', (grants.get(grant) ?? 0) - (taken.get(grant) ?? 0), byGrant.get(grant)?.left ?? 0, `grant ${grant}`)),
    ...[...new Set([...byGrant.keys(), ...held.keys()])].flatMap((grant) => equal('held', held.get(grant) ?? 0, byGrant.get(grant)?.held ?? 0, `grant ${grant}`)),
  ]
}

function ofReservations({ balance, reserved, open }: StoredAccount): readonly Fault[] {
  return [...equal('reserved', sum(open, ({ ceiling }) => ceiling), reserved), ...atLeastZero('available', balance - reserved)]
}

function ofRefunds({ refunds }: StoredAccount, { refunded, charges }: Tally): readonly Fault[] {
  return [...new Set([...refunds.keys(), ...refunded.keys()])].flatMap((reservation) => {
    const given = refunds.get(reservation) ?? 0
    const at = `reservation ${reservation}`
    const charged = charges.get(reservation)?.charged ?? 0
    // Of a refund that is not remembered no charge was looked for.
    const tooMuch = refunds.has(reservation) && Math.max(given, refunded.get(reservation) ?? 0) > charged
    return [
      ...equal('refunds', refunded.get(reservation) ?? 0, given, at),
      ...(tooMuch ? [fault('refunds', `at most ${credits(charged)}`, credits(Math.max(given, refunded.get(reservation) ?? 0)), at)] : []),
    ]
  })
}

function ofUsage({ usage, usageDay }: StoredAccount, tally: Tally): readonly Fault[] {
  const rows = new Map(usage.filter(({ day }) => day > usageDay - USAGE_DAYS).map((row) => [`${row.day} ${row.product}`, row]))
  return [...new Set([...rows.keys(), ...tally.usage.keys()])].flatMap((key) => {
    const expected = tally.usage.get(key) ?? { charged: 0, refunded: 0 }
    const found = rows.get(key) ?? { charged: 0, refunded: 0 }
    return [...equal('usage', expected.charged, found.charged, `charged on ${dated(key)}`), ...equal('usage', expected.refunded, found.refunded, `refunded on ${dated(key)}`)]
  })
}

/** `20400 search` as `2025-11-08, search`. */
function dated(key: string): string {
  const [, day, product] = /^(\d+) (.*)$/s.exec(key) as unknown as [string, string, string]
  return `${new Date(Number(day) * 86_400_000).toISOString().slice(0, 10)}, ${product}`
}

function equal(check: Check, expected: number, found: number, at?: string): readonly Fault[] {
  return expected === found ? [] : [fault(check, credits(expected), credits(found), at)]
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
