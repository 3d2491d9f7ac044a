import type { BudgetKey, BudgetUse, BudgetWindow, HeldBudget, LedgerEntry, Lot, Share, UsageRow } from '@farebox/core'
import type { Cluster, Redis } from 'ioredis'
import { decodeDay, decodeEntry } from '../codec.js'
import type { StoredKey } from './keys.js'
import { UnreadableError } from './unreadable.js'

const PAGE = 500

/** What is written of an account. Amounts in micro-credits. */
export interface StoredAccount {
  /** All of its hash; empty where it is gone. */
  readonly fields: Readonly<Record<string, string>>
  /** How many entries its journal has. */
  readonly length: number
  readonly balance: number
  readonly reserved: number
  /** The ceilings of its open reservations, what they hold of lots, and the budgets they hold them in. */
  readonly open: readonly { readonly ceiling: number, readonly shares: readonly Share[], readonly budgets: readonly HeldBudget[] }[]
  readonly budgets: readonly (BudgetKey & BudgetUse)[]
  readonly lots: readonly Lot[]
  /** Whether it remembers that it had its allowance, and one that comes again. */
  readonly provisioned: boolean
  readonly recurs: boolean
  /** Amount by grant id. */
  readonly grants: ReadonlyMap<string, number>
  /** What was given back, by reservation. */
  readonly refunds: ReadonlyMap<string, number>
  /** The same, added up from the refunds that are remembered one by one. */
  readonly refundsById: ReadonlyMap<string, number>
  readonly usage: readonly UsageRow[]
  /** Usage of days that the account does not list: nobody is told of it. */
  readonly unlisted: readonly UsageRow[]
  /** The last day that has usage. */
  readonly usageDay: number
  /** Fields that are not what a store writes; above they count for nothing. */
  readonly unreadable: readonly { readonly field: string, readonly text: string }[]
  /** The journal as it was when the rest was read, from behind the first `after` entries, a page at a time. */
  entries(): AsyncGenerator<readonly LedgerEntry[]>
}

/**
 * Reads an account as it is at one moment. The journal only ever grows, so what it was can still be read afterwards.
 *
 * @param after the entries that are known already
 * @throws UnreadableError for an entry, a grant or a refund; the client's own error
 */
export async function readAccount(redis: Redis | Cluster, { accountKey }: Pick<StoredKey, 'accountKey'>, after = 0): Promise<StoredAccount> {
  const keyOf = keysOf(accountKey)
  const results = await redis.multi()
    .hgetall(accountKey).hgetall(keyOf('grants')).hgetall(keyOf('refunds'))
    .llen(keyOf('journal')).lrange(keyOf('journal'), after, after + PAGE - 1)
    .exec()
  const [fields, grants, refunds, length, first] = (results ?? []).map(([error, value]) => {
    if (error) throw error.message.startsWith('WRONGTYPE') ? new UnreadableError(error.message) : error
    return value
  }) as [Fields, Fields, Fields, number, string[]]

  const unreadable: { field: string, text: string }[] = []
  const read = <T>(field: string, parse: (text: string) => T, otherwise: T): T => {
    const text = fields[field]
    try {
      return text === undefined ? otherwise : parse(text)
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      unreadable.push({ field, text: text ?? '' })
      return otherwise
    }
  }
  const usageOf = (day: string) => read(`:u${day}`, (text) => readUsage(day + text), [])
  const days = read(':days', (text) => words(text).map((day) => String(whole(day))), [])
  const unlisted = Object.keys(fields).filter((field) => /^:u\d+$/.test(field) && !days.includes(field.slice(2)))
  return {
    fields, length, unreadable,
    balance: read(':balance', whole, 0),
    reserved: read(':reserved', whole, 0),
    open: Object.entries(fields).filter(([field, text]) => !field.startsWith(':') && text.startsWith('o')).flatMap(([field]) => read(field, (text) => [readOpen(text)], [])),
    budgets: Object.keys(fields).filter((field) => field.startsWith(':w')).sort().flatMap((field) => read(field, (text) => [readBudget(field, text)], [])),
    lots: read(':lots', (text) => words(text).map(readLot), []),
    provisioned: fields[':provisioned'] === '1',
    recurs: ':recurring' in fields,
    grants: new Map(Object.entries(grants).map(([id, amount]) => [text(id), whole(amount)])),
    refunds: new Map(Object.entries(refunds).filter(([field]) => !field.includes(' ')).map(([id, amount]) => [text(id), whole(amount)])),
    refundsById: sums(Object.entries(refunds).filter(([field]) => field.includes(' ')).map(([field, amount]) => [text(field.split(' ')[0]!), whole(amount)])),
    usage: days.flatMap(usageOf),
    unlisted: unlisted.flatMap((field) => usageOf(field.slice(2))),
    usageDay: Math.max(0, ...days.map(Number)),
    async *entries() {
      for (let from = after; from < length; from += PAGE) {
        const lines = from === after ? first : await redis.lrange(keyOf('journal'), from, Math.min(from + PAGE, length) - 1)
        yield lines.map((line, i) => readEntry(line, from + i + 1))
      }
    },
  }
}

/** The other keys of an account, by that of its hash. */
export function keysOf(accountKey: string): (kind: string) => string {
  return (kind) => accountKey.replace(/(?<=\}:)account(?=:[^:]*$)/, kind)
}

function words(text: string): string[] {
  return text.split(' ').filter((word) => word !== '')
}

function sums(amounts: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const total = new Map<string, number>()
  for (const [id, amount] of amounts) total.set(id, (total.get(id) ?? 0) + amount)
  return total
}

type Fields = Readonly<Record<string, string>>

function readOpen(value: string): StoredAccount['open'][number] {
  const [, ceiling, shares = '', windows = ''] = /^o\d+ (\d+) \d+(?: (\S*)(?: (\S+))?)?$/.exec(value) ?? unreadable(value)
  const listed = (text: string) => text.split(',').filter((item) => item !== '')
  return { ceiling: whole(ceiling!), shares: listed(shares).map(readShare), budgets: listed(windows).map(readWindow) }
}

function readWindow(held: string): HeldBudget {
  const [, window, scope, period] = /^(day|month|total):([^:]*):(-?\d+)$/.exec(held) ?? unreadable(held)
  return { window: window as BudgetWindow, scope: text(scope!), period: whole(period!) }
}

function readBudget(field: string, value: string): BudgetKey & BudgetUse {
  const [, window, scope] = /^:w(day|month|total):([^:]*)$/.exec(field) ?? unreadable(value)
  const [, period, spent, held] = /^(-?\d+) (\d+) (-?\d+)$/.exec(value) ?? unreadable(value)
  return { window: window as BudgetWindow, scope: text(scope!), period: whole(period!), spent: whole(spent!), held: whole(held!) }
}

function readShare(share: string): Share {
  const [, grant, amount] = /^([^:]+):(\d+)$/.exec(share) ?? unreadable(share)
  return { grant: text(grant!), amount: whole(amount!) }
}

function readLot(lot: string): Lot {
  const [, grant, left, held, priority, expiresAt, source] = /^([^=]+)=(\d+):(\d+):(\d+):(\d+):(\S*)$/.exec(lot) ?? unreadable(lot)
  return { grant: text(grant!), left: whole(left!), held: whole(held!), priority: whole(priority!), expiresAt: whole(expiresAt!), source: text(source!) }
}

function readUsage(day: string): UsageRow[] {
  if (!/^\d+(?: [^ =]*=\d+:\d+(?::\d+)?)*$/.test(day)) unreadable(day)
  return decoded(day, decodeDay)
}

function readEntry(line: string, id: number): LedgerEntry {
  if (!/^(?:grant|charge|refund|expiry) \d+ -?\d+ \d+ \d+ \S* \S*(?: \S*(?: \{.*\})?)?$/s.test(line)) unreadable(line)
  return decoded(line, () => decodeEntry(line, id))
}

function text(encoded: string): string {
  return decoded(encoded, decodeURIComponent)
}

/** Decoding fails for what is not percent-encoded. */
function decoded<T>(value: string, decode: (value: string) => T): T {
  try {
    return decode(value)
  } catch {
    return unreadable(value)
  }
}

function whole(value: string): number {
  return /^-?\d+$/.test(value) ? Number(value) : unreadable(value)
}

function unreadable(value: string): never {
  throw new UnreadableError(`can't be read: ${value.slice(0, 100)}`)
}
