import { MAX_CREDITS, toCredits, toMicro } from '../../credits.js'
import { topUpGrant } from '../../ledger/alerts.js'
import { DEFAULT_PRIORITY } from '../../ledger/lots.js'
import { withDeadline } from '../deadline.js'
import type { AutoTopUp, Settings } from '../options.js'
import { persist } from '../persist.js'

/** After so long a top-up that has not ended, or has failed, is begun again, ms. */
export const TOP_UP_RETRY_MS = 300_000

/** Has credits bought, and grants them. */
export class TopUps {
  constructor(
    private readonly settings: Pick<Settings<never>, 'store' | 'storeTimeout' | 'logger'>,
    private readonly autoTopUp: AutoTopUp,
    private readonly closing: () => boolean,
  ) {}

  /** Never rejects. What is not known to have ended is begun again by whoever sees it next, under the same id. */
  async run(account: string, number: number, balance: number): Promise<void> {
    const id = topUpGrant(number)
    const about = `farebox: the top-up ${id} of account ${JSON.stringify(account)}`
    const { logger } = this.settings
    try {
      const credits = await this.autoTopUp.topUp({ account, id, balance: toCredits(balance) })
      const amount = toMicro(credits)
      if (amount === undefined) return logger.error(`${about} returned ${String(credits)}: expected credits from 0 to ${MAX_CREDITS}`)
      const granted = await this.#grant(account, id, amount).catch((cause: unknown) => {
        // The record of last resort. Begun again under the same id, it is granted then.
        throw new Error(`its ${credits} credits could not be posted`, { cause })
      })
      if (granted.kind !== 'granted') logger.error(`${about}: its ${credits} credits were not granted: ${granted.kind}`)
    } catch (error) {
      logger.error(`${about} failed; it is begun again under the same id after ${TOP_UP_RETRY_MS} ms`, error)
    }
  }

  /** Money was taken, so this goes on while the process does. One of nothing says that the top-up has ended. */
  #grant(account: string, grant: string, amount: number) {
    const { store, storeTimeout } = this.settings
    return persist(() => withDeadline(store.send({
      kind: 'grant', account, grant, amount, reason: 'auto top-up', source: 'top-up', priority: DEFAULT_PRIORITY, expiresAt: 0,
    }), storeTimeout), this.closing)
  }
}
