import type { Command, ReplyTo } from './commands.js'

/**
 * Where balances live. One method: a store carries out commands, each atomically, exactly as `apply` defines
 * them. `send` rejects only when the store can't answer; then whether the command took effect is not known,
 * and sending it again is safe, except for `count`.
 */
export interface Store {
  readonly name: string
  /** Whether balances outlive the process. */
  readonly durable: boolean
  send<C extends Command>(command: C): Promise<ReplyTo<C>>
  /** Frees connections that the store opened itself. */
  close(): Promise<void>
}
