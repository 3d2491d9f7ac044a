import type { JournalCommand, SharedReplyTo } from './commands.js'
import type { AccountState } from '../ledger/state.js'

/** Which accounts have entries that wait for the journal's sink, in this process. */
export class Waiting {
  /** Those that have waited longest come first. */
  readonly #waiting = new Set<string>()
  #on = false

  constructor(private readonly accounts: ReadonlyMap<string, AccountState>) {}

  /** Looks at an account that a command has changed, or that `asked` how far its entries are. */
  look(account: string, before: AccountState, after: AccountState, asked: boolean): void {
    if (!asked && (!this.#on || before.journal === after.journal)) return
    const waits = (after.journal?.length ?? 0) > after.exported
    // Whoever has had a turn goes behind the others.
    if (!waits || after.exported > before.exported) this.#waiting.delete(account)
    if (waits) this.#waiting.add(account)
  }

  carryOut(command: JournalCommand): SharedReplyTo<JournalCommand> {
    switch (command.kind) {
      case 'export_journal':
        this.#on = true
        return { kind: 'journal_exported' }
      case 'waiting': return { kind: 'waiting', accounts: [...this.#waiting].slice(0, command.limit) }
      case 'accounts': return { kind: 'accounts', accounts: [...this.accounts.keys()], next: '' }
    }
  }
}
