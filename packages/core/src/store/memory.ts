import { apply } from '../ledger/apply.js'
import { emptyAccount, type AccountState } from '../ledger/state.js'
import { isLedgerCommand, type Command, type ReplyTo } from './commands.js'
import { SharedMemory } from './shared.js'
import type { Store } from './store.js'
import { Waiting } from './waiting.js'

/** How a memory store is made. */
export interface MemoryStoreOptions {
  /** The clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * Keeps accounts in this process, for development and tests: they are gone when it ends and no other process
 * sees them. Billing warns once when NODE_ENV is production.
 *
 * @example
 * const store = memoryStore()
 * await store.send({ kind: 'balance', account: 'ada' }) // { kind: 'balance', provisioned: false, balance: 0, reserved: 0, available: 0 }
 */
export function memoryStore({ now = Date.now }: MemoryStoreOptions = {}): Store {
  const accounts = new Map<string, AccountState>()
  const waiting = new Waiting(accounts)
  const shared = new SharedMemory(waiting)
  return {
    name: 'memory',
    durable: false,
    send<C extends Command>(command: C): Promise<ReplyTo<C>> {
      if (!isLedgerCommand(command)) return Promise.resolve(shared.carryOut(command, now()) as unknown as ReplyTo<C>)
      const before = accounts.get(command.account) ?? emptyAccount
      const [state, reply] = apply(before, command, now())
      if (state !== emptyAccount) accounts.set(command.account, state)
      waiting.look(command.account, before, state, command.kind === 'exported')
      return Promise.resolve(reply as unknown as ReplyTo<C>)
    },
    close: () => Promise.resolve(),
  }
}
