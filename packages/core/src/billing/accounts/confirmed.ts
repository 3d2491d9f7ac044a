import { toCredits } from '../../credits.js'
import { FareboxError } from '../../errors.js'
import type { LedgerCommand, LedgerReplyTo, Standing as MicroStanding } from '../../ledger/commands.js'
import { withDeadline } from '../deadline.js'
import type { Settings } from '../options.js'

/** How an account stands, in credits. */
export interface Standing {
  readonly balance: number
  readonly reserved: number
  readonly available: number
}

export function standingOf({ balance, reserved, available }: MicroStanding): Standing {
  return { balance: toCredits(balance), reserved: toCredits(reserved), available: toCredits(available) }
}

/** What it takes to deal with accounts. */
export type Confirming = Pick<Settings<never>, 'store' | 'storeTimeout'>

/** Sends a command that takes effect once, however often it is sent. */
export async function confirmed<C extends LedgerCommand>({ store, storeTimeout }: Confirming, what: string, command: C): Promise<LedgerReplyTo<C>> {
  try {
    return await withDeadline(store.send(command), storeTimeout) as LedgerReplyTo<C>
  } catch (cause) {
    throw new FareboxError('STORE_UNAVAILABLE', `${what}: the store did not confirm it; sending it again is safe`, { cause })
  }
}
