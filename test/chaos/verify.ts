import type { LedgerEntry, Store } from '@farebox/core'
import { redisStore } from '@farebox/redis'
import type { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { audit } from '../../packages/cli/dist/audit/audit.js'
import type { Book } from './book.js'

const PARTITIONS = 64

/** What the ledger says of what clients were told. */
export interface Verdict {
  /** What must never be, whatever was lost. */
  readonly faults: string[]
  /** Acknowledged, and not there. */
  readonly lostCharges: number
  readonly lostGrants: number
  /** Told to be pending, and neither there nor in a log. */
  readonly lostPending: number
  /** Told to be pending, not there, and in the log of an app that was closed before it could post it. */
  readonly givenUp: number
}

export async function verify(redis: Redis | Cluster, prefix: string, book: Book, log: readonly string[]): Promise<Verdict> {
  const store = redisStore(redis, { prefix })
  const charges = new Map<string, LedgerEntry>()
  const grants = new Map<string, LedgerEntry>()
  const faults: string[] = []
  for (const account of book.accounts) {
    const entries = await entriesOf(store, account)
    faults.push(...standingFaults(account, entries, await store.send({ kind: 'balance', account })))
    for (const entry of entries) {
      const of = entry.kind === 'charge' ? charges : grants
      const id = entry.kind === 'charge' ? requestOf(entry) : entry.reference === 'allowance' ? `allowance of ${account}` : entry.reference
      if (of.has(id)) faults.push(`${entry.kind} ${id} is there twice`)
      of.set(id, entry)
      faults.push(...entryFaults(entry, id, account, book))
    }
  }
  for await (const { findings } of audit(redis, prefix, PARTITIONS)) faults.push(...findings.map(({ finding }) => `audit: ${JSON.stringify(finding)}`))
  const lost = (pending: boolean) => [...book.charged].filter(([id, told]) => told.amount > 0 && told.pending === pending && !charges.has(id)).map(([id]) => id)
  const givenUp = lost(true).filter((id) => log.some((line) => line.includes(id))).length
  return { faults, lostCharges: lost(false).length, lostPending: lost(true).length - givenUp, givenUp, lostGrants: [...book.granted].filter((id) => !grants.has(id)).length }
}

/** For how long some of the accounts still have credits set aside, ms; at most `atMost`. */
export async function untilNothingReserved(redis: Redis | Cluster, prefix: string, { accounts }: Book, atMost: number): Promise<number> {
  const store = redisStore(redis, { prefix })
  const startedAt = performance.now()
  for (const account of accounts) {
    while ((await store.send({ kind: 'balance', account })).reserved > 0) {
      if (performance.now() - startedAt > atMost) return Infinity
      await delay(20)
    }
  }
  return performance.now() - startedAt
}

function standingFaults(account: string, entries: readonly LedgerEntry[], { balance, reserved, available }: { balance: number, reserved: number, available: number }): string[] {
  const sum = entries.reduce((total, { amount }) => total + amount, 0)
  const overspent = entries.some((entry) => entry.balance < 0)
  return [
    ...(overspent ? [`${account} was overspent`] : []),
    ...(sum === balance && reserved >= 0 && available >= 0 && available === balance - reserved ? [] : [`${account} has ${balance}, ${reserved} reserved, ${available} available; its entries add up to ${sum}`]),
  ]
}

function entryFaults({ kind, amount, shortfall }: LedgerEntry, id: string, account: string, { works, charged, grants }: Book): string[] {
  if (kind === 'charge') {
    const work = works.get(id)
    const told = charged.get(id)
    return work?.account === account && shortfall - amount === work.charge && (!told || told.pending || told.amount === -amount) ? []
      : [`charge ${id} of ${account} is ${-amount}, short ${shortfall}; it cost ${work?.charge}, the client was told ${JSON.stringify(told)}`]
  }
  const grant = grants.get(id)
  return id === `allowance of ${account}` || (grant?.account === account && grant.amount === amount) ? [] : [`grant ${id} of ${account} is ${amount} instead of ${grant?.amount}`]
}

function requestOf({ details }: LedgerEntry): string {
  return (JSON.parse(details || '{}') as { requestId?: string }).requestId ?? 'no request'
}

async function entriesOf(store: Store, account: string): Promise<readonly LedgerEntry[]> {
  const all: LedgerEntry[] = []
  for (const limit = 1_000; ;) {
    const { entries } = await store.send({ kind: 'entries', account, after: all.at(-1)?.id ?? '', limit })
    all.push(...entries)
    if (entries.length < limit) return all
  }
}
