import type { Exported, Replies } from './commands.js'
import type { AccountState } from './state.js'

export function exported(state: AccountState, { upTo }: Exported): [AccountState, Replies['exported']] {
  const length = state.journal?.length ?? 0
  const exported = Math.max(state.exported, Math.min(upTo, length))
  const after = exported === state.exported ? state : { ...state, exported }
  return [after, { kind: 'exported', exported, waiting: length - exported }]
}
