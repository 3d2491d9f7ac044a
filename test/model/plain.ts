import type { AccountState, Alert, BudgetUse, KeyedCall, LedgerEntry, Lot, Operation, PersistentMap, RecurringAllowance, Refunded, Reservation } from '@farebox/core'

/** An account as plain data, so that two can be compared. */
export interface PlainAccount {
  readonly balance: number
  readonly reserved: number
  readonly provisioned: boolean
  readonly sweepAt: number
  readonly sweptAt: number
  readonly usageDay: number
  readonly reservations: Readonly<Record<string, Reservation>>
  readonly grants: Readonly<Record<string, number>>
  readonly usage: Readonly<Record<string, { calls: number, charged: number, refunded: number }>>
  readonly lots: readonly Lot[]
  readonly topped: number
  readonly recurring: RecurringAllowance | null
  readonly budgets: Readonly<Record<string, BudgetUse>>
  readonly alerts: Readonly<Record<string, Alert>>
  readonly refunds: Readonly<Record<string, Refunded>>
  readonly entries: readonly LedgerEntry[]
  readonly exported: number
  /** Whether it waits for the journal's sink. */
  readonly waiting: boolean
  /** Those that are not forgotten; when the others are thrown away is a store's own affair. */
  readonly calls: Readonly<Record<string, KeyedCall>>
  readonly operations: Readonly<Record<string, Operation>>
}

/** @param exporting whether entries go on to a sink, from the beginning */
export function plain(state: AccountState, now: number, exporting: boolean): PlainAccount {
  const { balance, reserved, provisioned, sweepAt, sweptAt, usageDay, exported } = state
  const entries: LedgerEntry[] = []
  for (let at = state.journal; at; at = at.previous) entries.unshift(at.entry)
  return {
    balance, reserved, provisioned, sweepAt, sweptAt, usageDay, entries, exported, waiting: exporting && entries.length > exported,
    lots: state.lots, topped: state.topped, recurring: state.recurring, budgets: record(state.budgets), alerts: record(state.alerts), refunds: record(state.refunds),
    reservations: record(state.reservations), grants: record(state.grants), usage: record(state.usage),
    calls: remembered(record(state.calls), now), operations: remembered(record(state.operations), now),
  }
}

function record<V>(map: PersistentMap<V>): Record<string, V> {
  return Object.fromEntries(map.entries())
}

export function remembered<V extends { readonly keptUntil: number }>(records: Record<string, V>, now: number): Record<string, V> {
  return Object.fromEntries(Object.entries(records).filter(([, { keptUntil }]) => keptUntil > now))
}

/** The account without what is forgotten by now. */
export function forget(state: AccountState, now: number): AccountState {
  const without = <V extends { readonly keptUntil: number }>(map: PersistentMap<V>) =>
    map.entries().reduce((left, [key, { keptUntil }]) => (keptUntil > now ? left : left.delete(key)), map)
  return { ...state, calls: without(state.calls), operations: without(state.operations) }
}
