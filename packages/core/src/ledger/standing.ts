import type { Standing } from './commands.js'
import type { AccountState } from './state.js'

export function standing({ balance, reserved }: AccountState): Standing {
  return { balance, reserved, available: Math.max(0, balance - reserved) }
}
