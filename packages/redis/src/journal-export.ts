import type { JournalCommand, SharedReplyTo } from '@farebox/core'
import { lines, splitLine } from './codec.js'
import type { ScriptClient } from './connection.js'
import type { KeySpace } from './keys.js'
import { shared as scripts } from './program.generated.js'
import { runScript, type Script } from './script.js'

/** Whether this store marks the accounts whose entries wait for the journal's sink. */
export interface JournalExport {
  readonly on: boolean
  /** Learns whether entries go on to a sink. */
  learn(): Promise<void>
  send(command: JournalCommand): Promise<SharedReplyTo<JournalCommand>>
}

export function journalExport(client: ScriptClient, keys: KeySpace, partitions: number, now: (() => number) | undefined): JournalExport {
  let on = false
  const partitionKeys = Array.from({ length: partitions }, (_, partition) => keys.partitionName('waiting', partition))

  async function run(script: Script, names: readonly string[], args: readonly string[], server = client): Promise<string> {
    return splitLine(String(await runScript(server, script, names, [now ? String(now()) : '', ...args])))[1]
  }

  /** On a Cluster each partition has a slot of its own, and a script one slot. */
  async function waiting(limit: number): Promise<string[]> {
    const lots = client.isCluster ? partitionKeys.map((key) => [key]) : [partitionKeys]
    const found = await Promise.all(lots.map((lot) => run(scripts.waiting, lot, [String(limit)])))
    return found.flatMap(lines).map((line) => line.split(' ') as [since: string, account: string])
      .sort(([a], [b]) => Number(a) - Number(b)).slice(0, limit).map(([, account]) => decodeURIComponent(account))
  }

  /** A page is `address cursor`: the masters of a Cluster have their turn one after the other. */
  async function accounts(page: string): Promise<SharedReplyTo<Extract<JournalCommand, { kind: 'accounts' }>>> {
    const [from = '', cursor = '0'] = page.split(' ')
    const servers = serversOf(client).filter(({ address }) => address >= from)
    const [server, following] = servers
    if (!server) return { kind: 'accounts', accounts: [], next: '' }
    const [next, names] = splitLine(await run(scripts.accounts, [], [server.address === from ? cursor : '0', keys.pattern('account:*')], server.client))
    const rest = following ? `${following.address} 0` : ''
    return { kind: 'accounts', accounts: lines(names).flatMap(accountOf), next: next === '0' ? rest : `${server.address} ${next}` }
  }

  return {
    get on() { return on },
    async learn() {
      if (await run(scripts.export_journal, [keys.journalExport], ['']) === '1') on = true
    },
    async send(command) {
      switch (command.kind) {
        case 'export_journal':
          // Before Redis has it: a mark that nobody asks for does no harm.
          on = true
          await run(scripts.export_journal, [keys.journalExport], ['1'])
          return { kind: 'journal_exported' }
        case 'waiting': return { kind: 'waiting', accounts: await waiting(command.limit) }
        case 'accounts': return accounts(command.page)
      }
    },
  }
}

/** In the order of their addresses, so that a page finds its place again. */
function serversOf(client: ScriptClient): readonly { readonly address: string, readonly client: ScriptClient }[] {
  const masters = client.nodes?.('master') ?? []
  if (masters.length === 0) return [{ address: '', client }]
  return masters.map((node) => ({ address: `${node.options.host}:${node.options.port}`, client: node })).sort((a, b) => (a.address < b.address ? -1 : 1))
}

/** A key that no store has written may hold anything. */
function accountOf(key: string): string[] {
  try {
    return [decodeURIComponent(key.slice(key.lastIndexOf(':') + 1))]
  } catch {
    return []
  }
}
