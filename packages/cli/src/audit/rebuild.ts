import { MAX_AMOUNT, type HeldBudget, type Lot, type UsageRow } from '@farebox/core'
import type { Figures, StoredAccount } from '@farebox/redis/inspect'
import type { Tally } from './tally.js'

/** What an account's figures must be, as far as they are not that, or why that can't be told. */
export type Rebuilt =
  | { readonly kind: 'figures', readonly figures: Figures }
  | { readonly kind: 'impossible', readonly why: string }

/** Computes an account's figures from its journal and its open reservations. */
export function rebuild(stored: StoredAccount, tally: Tally): Rebuilt {
  const held = heldByGrant(stored.open)
  const lots = tally.lots.left.map((lot) => ({ ...lot, held: held.get(lot.grant) ?? 0 }))
  const reserved = sum(stored.open, ({ ceiling }) => ceiling)
  const why = doubt(stored, tally) ?? contradiction({ balance: tally.balance, reserved, lots, held })
  if (why !== undefined) return { kind: 'impossible', why }
  const usage = usageOf(stored, tally)
  const budgets = stored.budgets.map((budget) => ({ ...budget, held: heldIn(budget, stored.open) })).filter(({ held }, i) => held !== stored.budgets[i]!.held)
  const isGone = Object.keys(stored.fields).length === 0
  const grants = only(tally.grants, (id) => !stored.grants.has(id))
  // Never fewer: what was given back once must not be given back again.
  const refunds = only(tally.refunded, (id, amount) => amount > (stored.refunds.get(id) ?? 0))
  const isLost = (field: string) => stored.unreadable.some((unreadable) => unreadable.field === field)
  return {
    kind: 'figures',
    figures: {
      ...((isGone || tally.balance !== stored.balance || isLost(':balance')) && { balance: tally.balance }),
      ...((reserved !== stored.reserved || isLost(':reserved')) && { reserved }),
      ...((!equal(lots, stored.lots) || isLost(':lots')) && { lots }),
      ...(budgets.length > 0 && { budgets }),
      ...(!equal(sorted(usage), sorted(stored.usage)) && { usage }),
      ...(!stored.provisioned && (tally.allowed || (isGone && tally.charges)) && { provisioned: true as const }),
      ...(!stored.recurs && tally.recurring && { recurring: tally.recurring }),
      ...(grants.size > 0 && { grants }),
      ...(refunds.size > 0 && { refunds }),
    },
  }
}

/** What open reservations hold of each grant. */
export function heldByGrant(open: StoredAccount['open']): ReadonlyMap<string, number> {
  const held = new Map<string, number>()
  for (const { grant, amount } of open.flatMap(({ shares }) => shares)) held.set(grant, (held.get(grant) ?? 0) + amount)
  return held
}

/** What open reservations hold in this window of a budget. */
export function heldIn({ window, scope, period }: HeldBudget, open: StoredAccount['open']): number {
  return sum(open.filter(({ budgets }) => budgets.some((held) => held.window === window && held.scope === scope && held.period === period)), ({ ceiling }) => ceiling)
}

/** Why the journal, or what is open, is not what was written. */
function doubt({ fields, length, balance, unreadable }: StoredAccount, { broken }: Tally): string | undefined {
  // An account that has had no credits has none.
  const mayBeEmpty = fields[':balance'] !== undefined && balance === 0 && !unreadable.some(({ field }) => field === ':balance')
  if (length === 0 && !mayBeEmpty) return 'there is no journal to rebuild it from'
  if (broken?.id === '1') return 'the beginning of its journal is gone'
  const reservation = unreadable.find(({ field }) => !field.startsWith(':'))
  return reservation && `what the reservation ${reservation.field} holds is not known`
}

interface Derived {
  readonly balance: number
  readonly reserved: number
  readonly lots: readonly Lot[]
  readonly held: ReadonlyMap<string, number>
}

/** Why these can't be the figures of an account. */
function contradiction({ balance, reserved, lots, held }: Derived): string | undefined {
  const credits = (micro: number) => `${micro / 1_000_000}`
  if (balance < 0 || balance > MAX_AMOUNT) return `its entries add up to ${credits(balance)}`
  if (balance < reserved) return `its entries add up to ${credits(balance)}, its open reservations to ${credits(reserved)}`
  const apart = sum(lots, ({ left }) => left)
  if (balance < apart) return `its entries add up to ${credits(balance)}, with ${credits(apart)} left of grants`
  const overdrawn = lots.find((lot) => lot.left < Math.max(0, lot.held))
  if (overdrawn) return `its entries leave ${credits(overdrawn.left)} of the grant ${overdrawn.grant}, of which ${credits(overdrawn.held)} are held`
  const unknown = [...held.keys()].find((grant) => !lots.some((lot) => lot.grant === grant))
  return unknown === undefined ? undefined : `${credits(held.get(unknown)!)} are held of the grant ${unknown}, of which its entries leave nothing`
}

/** What the entries say; calls that cost nothing have none, so there are at least as many as were counted. Days that are not kept any more stay as they are. */
function usageOf({ usage, unlisted, usageDay }: StoredAccount, tally: Tally): readonly UsageRow[] {
  const since = tally.since(usageDay)
  const counted = tally.usage(since)
  const there = [...usage, ...unlisted]
  const rowOf = (rows: readonly UsageRow[], { day, product }: UsageRow) => rows.find((row) => row.day === day && row.product === product)
  return [
    ...there.filter((row) => !rowOf(counted, row)).map((row) => (row.day < since ? row : { ...row, charged: 0, refunded: 0 })),
    ...counted.map((row) => ({ ...row, calls: Math.max(row.calls, rowOf(there, row)?.calls ?? 0) })),
  ]
}

function only(amounts: ReadonlyMap<string, number>, test: (id: string, amount: number) => boolean): ReadonlyMap<string, number> {
  return new Map([...amounts].filter(([id, amount]) => test(id, amount)))
}

function equal(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function sorted(rows: readonly UsageRow[]): readonly UsageRow[] {
  return rows.map(({ day, product, calls, charged, refunded }) => ({ day, product, calls, charged, refunded }))
    .sort((a, b) => a.day - b.day || (a.product < b.product ? -1 : 1))
}

function sum<T>(items: readonly T[], amount: (item: T) => number): number {
  return items.reduce((total, item) => total + amount(item), 0)
}
