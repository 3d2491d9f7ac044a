import type { LedgerEntry, Lot, Share, UsageRow } from '@farebox/core'
import type { Redis } from 'ioredis'
import { decodeDay, decodeEntry } from '../codec.js'
import type { StoredKey } from './keys.js'

const PAGE = 500

/** What is written of an account. Amounts in micro-credits. */
export interface StoredAccount {
  readonly balance: number
  readonly reserved: number
  /** The ceilings of its open reservations, and what they hold of lots. */
  readonly open: readonly { readonly ceiling: number, readonly shares: readonly Share[] }[]
  readonly lots: readonly Lot[]
  /** Amount by grant id. */
  readonly grants: ReadonlyMap<string, number>
  /** What was given back, by reservation. */
  readonly refunds: ReadonlyMap<string, number>
  readonly usage: readonly UsageRow[]
  /** Days before this one are not kept. */
  readonly usageDay: number
  /** The journal as it was when the rest was read, a page at a time. */
  entries(): AsyncGenerator<readonly LedgerEntry[]>
}

/** What is written is not what a store writes. */
export class UnreadableError extends Error {}

/**
 * Reads an account as it is at one moment. The journal only ever grows, so what it was can still be read afterwards.
 *
 * @throws UnreadableError; the client's own error
 */
export async function readAccount(redis: Redis, { accountKey }: Pick<StoredKey, 'accountKey'>): Promise<StoredAccount> {
  const keyOf = (kind: string) => accountKey.replace(/(?<=\}:)account(?=:[^:]*$)/, kind)
  const results = await redis.multi()
    .hgetall(accountKey).hgetall(keyOf('grants')).hgetall(keyOf('refunds'))
    .llen(keyOf('journal')).lrange(keyOf('journal'), 0, PAGE - 1)
    .exec()
  const [fields, grants, refunds, length, first] = (results ?? []).map(([error, value]) => {
    if (error) throw error.message.startsWith('WRONGTYPE') ? new UnreadableError(error.message) : error
    return value
  }) as [Fields, Fields, Fields, number, string[]]
  const days = (fields[':days'] ?? '').split(' ').filter((day) => day !== '')
  return {
    balance: whole(fields[':balance'] ?? '0'),
    reserved: whole(fields[':reserved'] ?? '0'),
    open: Object.entries(fields).filter(([field, value]) => !field.startsWith(':') && value.startsWith('o')).map(([, value]) => readOpen(value)),
    lots: (fields[':lots'] ?? '').split(' ').filter((lot) => lot !== '').map(readLot),
    grants: new Map(Object.entries(grants).map(([id, amount]) => [text(id), whole(amount)])),
    refunds: new Map(Object.entries(refunds).filter(([field]) => !field.includes(' ')).map(([id, amount]) => [text(id), whole(amount)])),
    usage: days.flatMap((day) => readUsage(day + (fields[`:u${day}`] ?? ''))),
    usageDay: Math.max(whole(fields[':usageDay'] ?? '0'), ...days.map(whole)),
    async *entries() {
      for (let from = 0; from < length; from += PAGE) {
        const lines = from === 0 ? first : await redis.lrange(keyOf('journal'), from, Math.min(from + PAGE, length) - 1)
        yield lines.map((line, i) => readEntry(line, from + i + 1))
      }
    },
  }
}

type Fields = Readonly<Record<string, string>>

function readOpen(value: string): StoredAccount['open'][number] {
  const [, ceiling, shares] = /^o\d+ (\d+) \d+(?: (\S*)(?: \S+)?)?$/.exec(value) ?? unreadable(value)
  return { ceiling: whole(ceiling!), shares: (shares ?? '').split(',').filter((share) => share !== '').map(readShare) }
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
  if (!/^(?:grant|charge|refund|expiry) \d+ -?\d+ \d+ \d+ \S* \S*(?: \S*(?: \{.*\})?)?$/.test(line)) unreadable(line)
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
