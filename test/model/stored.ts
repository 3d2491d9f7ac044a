import type { Alert, BudgetUse, BudgetWindow, HeldBudget, KeyedCall, LedgerEntry, Lot, Operation, RecurringAllowance, Refunded, Reservation, Share } from '@farebox/core'
import type { Redis } from 'ioredis'
import { remembered, type PlainAccount } from './plain.js'

/** An account's keys: one of each of the first three, and its records by id. */
interface Keys {
  readonly account?: string
  readonly journal?: string
  readonly grants?: string
  readonly refunds?: string
  readonly call: Record<string, string>
  readonly operation: Record<string, string>
}

/** Reads the accounts under a prefix from the bytes in Redis, and not through the store: nothing else may be there. */
export async function readAccounts(redis: Redis, prefix: string, now: number): Promise<Map<string, PlainAccount>> {
  const found = new Map<string, Keys>()
  const own = new Set([`${prefix}:partitions`, `${prefix}:journal-export`])
  for (const key of (await redis.keys(`${prefix}:*`)).filter((key) => !own.has(key) && !key.endsWith('}:waiting'))) {
    const [, what, account, item] = key.match(/:\{\d+\}:(account|journal|grants|refunds|call|operation):([^:]*)(?::([^:]*))?$/) ?? fail(`unexpected key ${key}`)
    const keys = found.get(account!) ?? { call: {}, operation: {} }
    if (what === 'call' || what === 'operation') keys[what][decodeURIComponent(item ?? fail(key))] = key
    found.set(account!, what === 'call' || what === 'operation' ? keys : { ...keys, [what!]: item === undefined ? key : fail(key) })
  }
  const waiting = new Set((await Promise.all((await redis.keys(`${prefix}:*}:waiting`)).map((key) => redis.zrange(key, 0, -1)))).flat())
  const accounts = await Promise.all([...found].map(async ([account, keys]) =>
    [decodeURIComponent(account), { ...await readAccount(redis, keys, now), waiting: waiting.delete(account) }] as const))
  if (waiting.size > 0) fail(`${[...waiting].join()} wait`)
  return new Map(accounts)
}

/** Deletes what is forgotten by now, as the server does in its own time. */
export async function forgetRecords(redis: Redis, prefix: string, now: number): Promise<void> {
  for (const key of [...await redis.keys(`${prefix}:*:call:*`), ...await redis.keys(`${prefix}:*:operation:*`)]) {
    if (Number.parseInt(await redis.hget(key, 'record') ?? '', 10) <= now) await redis.del(key)
  }
}

async function readAccount(redis: Redis, { account, journal, grants, refunds, call, operation }: Keys, now: number): Promise<Omit<PlainAccount, 'waiting'>> {
  const fields = account ? await redis.hgetall(account) : {}
  const granted = grants ? await redis.hgetall(grants) : {}
  const number = (name: string) => Number(fields[name] ?? 0)
  return {
    balance: number(':balance'), reserved: number(':reserved'), provisioned: number(':provisioned') === 1,
    sweepAt: number(':sweepAt'), sweptAt: number(':sweptAt'), usageDay: number(':usageDay'), exported: number(':exported'),
    lots: readLots(fields[':lots'] ?? ''), topped: number(':topped'), recurring: readRecurring(fields[':recurring']),
    budgets: readBudgets(fields), alerts: readAlerts(fields[':alerts'] ?? ''), refunds: readRefunds(refunds ? await redis.hgetall(refunds) : {}),
    reservations: readReservations(fields), usage: readUsage(fields),
    entries: (journal ? await redis.lrange(journal, 0, -1) : []).map(readEntry),
    grants: Object.fromEntries(Object.entries(granted).map(([id, amount]) => [decodeURIComponent(id), Number(amount)])),
    calls: remembered(await readRecords(redis, call, readCall), now),
    operations: remembered(await readRecords(redis, operation, readOperation), now),
  }
}

/** The records at these keys, each of which must also be one that the server lets expire. */
async function readRecords<V>(redis: Redis, keys: Record<string, string>, read: (record: string, text: string) => V): Promise<Record<string, V>> {
  const records = await Promise.all(Object.entries(keys).map(async ([id, key]) => {
    if (await redis.pttl(key) <= 0) fail(`${key} does not expire`)
    const { record, text, ...others } = await redis.hgetall(key)
    if (record === undefined || text === undefined || Object.keys(others).length > 0) fail(`${key} is no record`)
    return [id, read(record, text)] as const
  }))
  return Object.fromEntries(records)
}

function readCall(record: string, text: string): KeyedCall {
  const [, keptUntil, reservation, payload, finished, ceiling, charge] = record.match(/^(\d+) (\S*) (\S*) ([01]) (\d+) (\d+)$/) ?? fail(record)
  return {
    keptUntil: Number(keptUntil), reservation: decodeURIComponent(reservation!), payload: decodeURIComponent(payload!), finished: finished === '1',
    ceiling: Number(ceiling), charge: Number(charge), response: text,
  }
}

function readOperation(record: string, text: string): Operation {
  const [, keptUntil, reservation, product, status, ceiling, charge, shortfall, late, startedAt, finishedAt, progress] =
    record.match(/^(\d+) (\S*) (\S*) ([psf]) (\d+) (\d+) (\d+) ([01]) (\d+) (\d+) (\S*)$/) ?? fail(record)
  return {
    keptUntil: Number(keptUntil), reservation: decodeURIComponent(reservation!), product: decodeURIComponent(product!),
    status: status === 'p' ? 'pending' : status === 's' ? 'succeeded' : 'failed', ceiling: Number(ceiling), charge: Number(charge),
    shortfall: Number(shortfall), late: late === '1', startedAt: Number(startedAt), finishedAt: Number(finishedAt),
    progress: decodeURIComponent(progress!), result: text,
  }
}

function readReservations(fields: Record<string, string>): Record<string, Reservation> {
  const ids = Object.keys(fields).filter((field) => !field.startsWith(':'))
  return Object.fromEntries(ids.map((id) => [decodeURIComponent(id), readReservation(fields[id]!)]))
}

function readReservation(field: string): Reservation {
  const kind = field[0]
  const parts = field.slice(1).split(' ')
  const [since, ceiling, third, shortfall] = parts.map(Number) as [number, number, number, number]
  if (kind === 'o') return { kind: 'open', ceiling, reservedAt: since, expiresAt: since + third, shares: readShares(parts[3] ?? ''), budgets: readWindows(parts[4] ?? '') }
  return { kind: kind === 'r' ? 'released' : 'settled', ceiling, charge: third, shortfall, late: kind === 'l', closedAt: since }
}

function readShares(text: string): Share[] {
  return text.split(',').filter((share) => share !== '').map((share) => {
    const [grant, amount] = share.split(':') as [string, string]
    return { grant: decodeURIComponent(grant), amount: Number(amount) }
  })
}

function readWindows(text: string): HeldBudget[] {
  return text.split(',').filter((held) => held !== '').map((held) => {
    const [window, scope, period] = held.split(':') as [BudgetWindow, string, string]
    return { scope: decodeURIComponent(scope), window, period: Number(period) }
  })
}

function readRecurring(text: string | undefined): RecurringAllowance | null {
  if (text === undefined) return null
  const [every, ...numbers] = text.split(' ') as [RecurringAllowance['every'], ...string[]]
  const [amount, rollover, anchor, since, until] = numbers.map(Number) as [number, number, number, number, number]
  return { every, amount, rollover, anchor, since, until }
}

function readBudgets(fields: Record<string, string>): Record<string, BudgetUse> {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field.startsWith(':w')).map(([field, value]) => {
    const [, window, scope] = field.match(/^:w(day|month|total):([^:]*)$/) ?? fail(field)
    const [period, spent, held] = value.split(' ').map(Number) as [number, number, number]
    return [`${window} ${decodeURIComponent(scope!)}`, { period, spent, held }]
  }))
}

function readAlerts(text: string): Record<string, Alert> {
  return Object.fromEntries(text.split(' ').filter((alert) => alert !== '').map((alert) => {
    const [, key, level, armed, by, toldAt, number] = alert.match(/^(.*)=(\d+):([01]):(.*):(\d+):(\d+)$/) ?? fail(alert)
    return [key!, { level: Number(level), armed: armed === '1', by: decodeURIComponent(by!), toldAt: Number(toldAt), number: Number(number) }]
  }))
}

function readLots(text: string): Lot[] {
  return text.split(' ').filter((lot) => lot !== '').map((lot) => {
    const [, grant, left, held, priority, expiresAt, source] = lot.match(/^(.*)=(\d+):(\d+):(\d+):(\d+):(.*)$/) ?? fail(lot)
    return { grant: decodeURIComponent(grant!), left: Number(left), held: Number(held), priority: Number(priority), expiresAt: Number(expiresAt), source: decodeURIComponent(source!) }
  })
}

function readRefunds(fields: Record<string, string>): Record<string, Refunded> {
  const all = Object.entries(fields).map(([field, amount]) => ({ parts: field.split(' ').map(decodeURIComponent), amount: Number(amount) }))
  return Object.fromEntries(all.filter(({ parts }) => parts.length === 1).map(({ parts: [reservation], amount }) => [reservation!, {
    total: amount,
    byId: Object.fromEntries(all.filter(({ parts }) => parts.length === 2 && parts[0] === reservation).map(({ parts: [, refund], amount: part }) => [refund!, part])),
  }]))
}

function readUsage(fields: Record<string, string>): PlainAccount['usage'] {
  const days = (fields[':days'] ?? '').split(' ').filter((day) => day !== '')
  const written = Object.keys(fields).filter((field) => field.startsWith(':u') && field !== ':usageDay')
  if (written.map((field) => field.slice(2)).sort().join() !== [...days].sort().join()) fail(`days "${days.join()}", fields "${written.join()}"`)
  return Object.fromEntries(days.flatMap((day) => fields[`:u${day}`]!.trim().split(' ').map((entry) => {
    const [, product, calls, charged, refunded = 0] = entry.match(/^(.*)=(\d+):(\d+)(?::(\d+))?$/)!
    return [`${day}:${decodeURIComponent(product!)}`, { calls: Number(calls), charged: Number(charged), refunded: Number(refunded) }]
  })))
}

function readEntry(text: string, index: number): LedgerEntry {
  const [kind, at, amount, balance, shortfall, reference, label, lots = '', ...details] = text.split(' ') as [LedgerEntry['kind'], ...string[]]
  return {
    id: String(index + 1), at: Number(at), kind, amount: Number(amount), balance: Number(balance), shortfall: Number(shortfall),
    reference: decodeURIComponent(reference!), label: decodeURIComponent(label!), details: details.join(' '),
    lots: lots.split(',').filter((share) => share !== '').map((share) => {
      const [grant, part, priority, expiresAt, source] = share.split(':') as [string, string, string, string, string]
      return { grant: decodeURIComponent(grant), amount: Number(part), priority: Number(priority), expiresAt: Number(expiresAt), source: decodeURIComponent(source) }
    }),
  }
}

function fail(message: string): never {
  throw new Error(message)
}
