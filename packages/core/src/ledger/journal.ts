import type { AccountState, LedgerEntry } from './state.js'

type Movement = Omit<LedgerEntry, 'id' | 'balance'>

/** The one place where a balance changes: by an entry. */
export function post(state: AccountState, movement: Movement): AccountState {
  const balance = state.balance + movement.amount
  const length = (state.journal?.length ?? 0) + 1
  const entry = { ...movement, id: String(length), balance }
  return { ...state, balance, journal: { entry, length, previous: state.journal } }
}
