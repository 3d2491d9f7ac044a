import { MAX_CREDITS, toCredits, toMicro } from '../credits.js'
import { FareboxError } from '../errors.js'
import { DEFAULT_PRIORITY } from '../ledger/lots.js'
import type { Replies } from '../ledger/commands.js'
import { identify } from './admission/account.js'
import { withDeadline } from './deadline.js'
import type { Settings } from './options.js'

/** What became of a grant. Amounts in credits. */
export interface GrantOutcome {
  readonly kind: Replies['grant']['kind']
  /** Whether an earlier grant with this id had done it already. */
  readonly replayed: boolean
  readonly balance: number
  readonly reserved: number
  readonly available: number
}

export interface GrantOptions {
  /** The same id again adds nothing: the id of the payment or of the webhook's event. */
  readonly id: string
  readonly reason: string
}

export async function grant({ store, storeTimeout }: Settings<never>, account: string, credits: number, options: GrantOptions): Promise<GrantOutcome> {
  const { id, reason } = options
  const amount = checked(account, credits, options)
  try {
    const reply = await withDeadline(store.send({ kind: 'grant', account, grant: id, amount, reason, source: '', priority: DEFAULT_PRIORITY, expiresAt: 0 }), storeTimeout)
    const { kind, balance, reserved, available } = reply
    const replayed = kind === 'granted' && reply.replayed
    return { kind, replayed, balance: toCredits(balance), reserved: toCredits(reserved), available: toCredits(available) }
  } catch (cause) {
    throw new FareboxError('STORE_UNAVAILABLE', `grant ${id}: the store did not confirm it; sending it again is safe`, { cause })
  }
}

/** The amount in micro-credits, once every argument is what it should be. */
function checked(account: string, credits: number, { id, reason }: GrantOptions): number {
  const who = identify(account)
  if (who.kind === 'nobody') throw new FareboxError('ARGUMENT_INVALID', who.reason)
  const amount = toMicro(credits)
  if (!amount) throw new FareboxError('ARGUMENT_INVALID', `credits: expected more than 0 and at most ${MAX_CREDITS}, got ${String(credits)}`)
  if (typeof id !== 'string' || id === '') throw new FareboxError('ARGUMENT_INVALID', 'id: expected a string that is the same when this grant is sent again')
  if (typeof reason !== 'string') throw new FareboxError('ARGUMENT_INVALID', `reason: expected a string, got ${typeof reason}`)
  return amount
}
