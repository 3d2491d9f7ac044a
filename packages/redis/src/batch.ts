import type { Command, Reply } from '@farebox/core'
import { decodeReply, encodeText } from './codec.js'
import type { ScriptClient } from './connection.js'
import type { Keys } from './keys.js'
import { commands, program } from './program.generated.js'
import { runScript } from './script.js'

/** A command on its way, and whoever waits for its reply. */
export interface Sent {
  readonly command: Command
  /** `encodeCommand(command)` */
  readonly args: readonly string[]
  resolve(reply: Reply): void
  reject(cause: unknown): void
}

/** Sends batches of commands: each batch one call of the program. */
export function batchSender(client: ScriptClient, keys: Keys, now: (() => number) | undefined): (batch: readonly Sent[]) => Promise<void> {
  async function send(accounts: readonly Sent[][]): Promise<void> {
    const encoded = encodeBatch(accounts, keys, now)
    try {
      const replies = await runScript(client, program, encoded.keys, encoded.args) as string[]
      accounts.flat().forEach(({ command, resolve }, i) => resolve(decodeReply(command, replies[i]!)))
    } catch (error) {
      // One account's broken data must not fail the others. They may have been served before the script stopped;
      // a command that is sent again takes effect once.
      if (accounts.length > 1 && isDataFault(error)) await Promise.all(accounts.map((account) => send([account])))
      else for (const { reject } of accounts.flat()) reject(error)
    }
  }
  return (batch) => send([...byAccount(batch).values()])
}

function byAccount(batch: readonly Sent[]): Map<string, Sent[]> {
  const accounts = new Map<string, Sent[]>()
  for (const sent of batch) {
    const account = accounts.get(sent.command.account)
    if (account) account.push(sent)
    else accounts.set(sent.command.account, [sent])
  }
  return accounts
}

/** KEYS and ARGV as lua/program.lua describes them. */
function encodeBatch(accounts: readonly Sent[][], { name }: Keys, now: (() => number) | undefined) {
  const keys: string[] = []
  const args: string[] = [now ? String(now()) : '']
  for (const account of accounts) {
    const id = account[0]!.command.account
    keys.push(name('account', id))
    args.push(String(account.length))
    for (const { command } of account) args.push('reservation' in command ? encodeText(command.reservation) : '')
    for (const sent of account) {
      const { kind } = sent.command
      for (const key of commands[kind].keys) keys.push(name(key, id))
      args.push(kind, ...sent.args)
    }
  }
  return { keys, args }
}

/** What a script says about a key that holds something else; the server's own troubles have other codes. */
function isDataFault(error: unknown): boolean {
  return error instanceof Error && /^(WRONGTYPE|ERR) /.test(error.message)
}
