import type { LedgerEntry, Reservation } from '@farebox/core'
import type { Redis } from 'ioredis'
import type { PlainAccount } from './plain.js'

/** Reads the accounts under a prefix from the bytes in Redis, and not through the store: nothing else may be there. */
export async function readAccounts(redis: Redis, prefix: string): Promise<Map<string, PlainAccount>> {
  const keys = await redis.keys(`${prefix}:*`)
  const found = new Map<string, Partial<Record<string, string>>>()
  for (const key of keys.filter((key) => key !== `${prefix}:partitions`)) {
    const [, what, account] = key.match(/:\{\d+\}:(account|journal|grants):(.*)$/s) ?? fail(`unexpected key ${key}`)
    found.set(account!, { ...found.get(account!), [what!]: key })
  }
  const accounts = await Promise.all([...found].map(async ([account, { account: hash, journal, grants }]) =>
    [decodeURIComponent(account), readAccount(
      hash ? await redis.hgetall(hash) : {},
      journal ? await redis.lrange(journal, 0, -1) : [],
      grants ? await redis.hgetall(grants) : {})] as const))
  return new Map(accounts)
}

function readAccount(fields: Record<string, string>, journal: string[], grants: Record<string, string>): PlainAccount {
  const number = (name: string) => Number(fields[name] ?? 0)
  return {
    balance: number(':balance'), reserved: number(':reserved'), provisioned: number(':provisioned') === 1,
    sweepAt: number(':sweepAt'), usageDay: number(':usageDay'),
    reservations: readReservations(fields), usage: readUsage(fields), entries: journal.map(readEntry),
    grants: Object.fromEntries(Object.entries(grants).map(([id, amount]) => [decodeURIComponent(id), Number(amount)])),
  }
}

function readReservations(fields: Record<string, string>): Record<string, Reservation> {
  const ids = Object.keys(fields).filter((field) => !field.startsWith(':'))
  return Object.fromEntries(ids.map((id) => [decodeURIComponent(id), readReservation(fields[id]!)]))
}

function readReservation(field: string): Reservation {
  const kind = field[0]
  const [since, ceiling, third, shortfall] = field.slice(1).split(' ').map(Number) as [number, number, number, number]
  if (kind === 'o') return { kind: 'open', ceiling, reservedAt: since, expiresAt: since + third }
  return { kind: kind === 'r' ? 'released' : 'settled', ceiling, charge: third, shortfall, late: kind === 'l', closedAt: since }
}

function readUsage(fields: Record<string, string>): PlainAccount['usage'] {
  const days = (fields[':days'] ?? '').split(' ').filter((day) => day !== '')
  const written = Object.keys(fields).filter((field) => field.startsWith(':u') && field !== ':usageDay')
  if (written.map((field) => field.slice(2)).sort().join() !== [...days].sort().join()) fail(`days "${days.join()}", fields "${written.join()}"`)
  return Object.fromEntries(days.flatMap((day) => fields[`:u${day}`]!.trim().split(' ').map((entry) => {
    const [, product, calls, charged] = entry.match(/^(.*)=(\d+):(\d+)$/)!
    return [`${day}:${decodeURIComponent(product!)}`, { calls: Number(calls), charged: Number(charged) }]
  })))
}

function readEntry(text: string, index: number): LedgerEntry {
  const [kind, at, amount, balance, shortfall, reference, label] = text.split(' ') as [LedgerEntry['kind'], ...string[]]
  return {
    id: String(index + 1), at: Number(at), kind, amount: Number(amount), balance: Number(balance), shortfall: Number(shortfall),
    reference: decodeURIComponent(reference!), label: decodeURIComponent(label!),
  }
}

function fail(message: string): never {
  throw new Error(message)
}
