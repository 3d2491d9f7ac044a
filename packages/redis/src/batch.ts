import type { LedgerCommand, LedgerReply } from '@farebox/core'
import { decodeReply, type Encoded, type EncodedReply } from './codec.js'
import type { ScriptClient } from './connection.js'
import type { JournalExport } from './journal-export.js'
import type { KeySpace } from './keys.js'
import { commands, program } from './program.generated.js'
import { runScript } from './script.js'

/** A command on its way, and whoever waits for its reply. */
export interface Sent {
  readonly command: LedgerCommand
  readonly encoded: Encoded
  resolve(reply: LedgerReply): void
  reject(cause: unknown): void
}

/** Sends batches of commands: each batch one call of the program. */
export function batchSender(client: ScriptClient, keys: KeySpace, now: (() => number) | undefined, journal: Pick<JournalExport, 'on'>): (batch: readonly Sent[]) => Promise<void> {
  async function send(accounts: readonly Sent[][]): Promise<void> {
    const encoded = encodeBatch(accounts, keys, now, journal.on)
    try {
      const replies = await runScript(client, program, encoded.keys, encoded.args) as EncodedReply[]
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
    const account = accounts.get(sent.encoded.account)
    if (account) account.push(sent)
    else accounts.set(sent.encoded.account, [sent])
  }
  return accounts
}

/** KEYS and ARGV as lua/program.lua describes them. */
function encodeBatch(accounts: readonly Sent[][], { name, itemName, partitionName, partitionOf }: KeySpace, now: (() => number) | undefined, exporting: boolean) {
  const keys: string[] = []
  const args: string[] = [now ? String(now()) : '', exporting ? '1' : '']
  for (const account of accounts) {
    const id = account[0]!.encoded.account
    const partition = partitionOf(id)
    keys.push(name('account', partition, id), name('journal', partition, id))
    if (exporting) keys.push(partitionName('waiting', partition))
    args.push(String(account.length))
    for (const { encoded } of account) args.push(encoded.reservation)
    for (const { command: { kind }, encoded } of account) {
      for (const key of commands[kind].keys) {
        if (key === 'waiting') keys.push(partitionName(key, partition))
        else if (key !== 'call' && key !== 'operation') keys.push(name(key, partition, id))
        else if (key === 'operation' || encoded.call !== '') keys.push(itemName(key, partition, id, encoded[key]))
      }
      args.push(kind, ...encoded.args)
    }
  }
  return { keys, args }
}

/** What a script says about a key that holds something else; the server's own troubles have other codes. */
function isDataFault(error: unknown): boolean {
  return error instanceof Error && /^(WRONGTYPE|ERR) /.test(error.message)
}
