import { toMicro } from '../../credits.js'
import type { Reserve } from '../../ledger/commands.js'
import type { Settings } from '../options.js'

/** What the allowance is to the ledger. */
export function allowanceOf({ allowance }: Pick<Settings<never>, 'allowance'>): Pick<Reserve, 'allowance' | 'recurrence'> {
  if (typeof allowance === 'number') return { allowance: toMicro(allowance)! }
  const { credits, every, rollover = 0 } = allowance
  return { allowance: toMicro(credits)!, recurrence: { every, rollover: toMicro(rollover)! } }
}
