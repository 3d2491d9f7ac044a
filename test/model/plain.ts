import type { AccountState, LedgerEntry, PersistentMap, Reservation } from '@farebox/core'

/** An account as plain data, so that two can be compared. */
export interface PlainAccount {
  readonly balance: number
  readonly reserved: number
  readonly provisioned: boolean
  readonly sweepAt: number
  readonly usageDay: number
  readonly reservations: Readonly<Record<string, Reservation>>
  readonly grants: Readonly<Record<string, number>>
  readonly usage: Readonly<Record<string, { calls: number, charged: number }>>
  readonly entries: readonly LedgerEntry[]
}

export function plain(state: AccountState): PlainAccount {
  const { balance, reserved, provisioned, sweepAt, usageDay } = state
  const entries: LedgerEntry[] = []
  for (let at = state.journal; at; at = at.previous) entries.unshift(at.entry)
  return {
    balance, reserved, provisioned, sweepAt, usageDay, entries,
    reservations: record(state.reservations), grants: record(state.grants), usage: record(state.usage),
  }
}

function record<V>(map: PersistentMap<V>): Record<string, V> {
  return Object.fromEntries(map.entries())
}
