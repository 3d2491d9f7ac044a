import { MAX_AMOUNT, type LedgerCommand, type LedgerEntry, type LedgerReply } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import { isDeepStrictEqual } from 'node:util'
import { faultsOf } from '../../packages/cli/src/audit/checks.js'
import { Tally } from '../../packages/cli/src/audit/tally.js'
import { ALLOWANCE } from './deeds.js'
import type { Known } from './known.js'
import { nextPeriod, startOfPeriod } from './periods.js'
import type { Learned } from './learn.js'

const PLAIN_PRIORITY = 50
/** No call of the search stays open longer. */
const LONGEST_MS = 5 * 86_400_000

/** An account after a step. */
export interface After {
  readonly now: number
  readonly command: LedgerCommand
  readonly reply: LedgerReply
  readonly learned: Learned
  readonly stored: StoredAccount
  readonly entries: readonly LedgerEntry[]
  readonly known: Known
}

/** What holds after every step, on every store. Each says what is wrong. */
export const invariants: Readonly<Record<string, (after: After) => readonly unknown[]>> = {
  'the audit finds nothing': ({ stored, entries }) => {
    const tally = new Tally({ has: () => true })
    for (const entry of entries) tally.add(entry)
    return faultsOf(stored, tally)
  },

  'an entry never changes, and the n-th has the id n': ({ entries, known }) => [
    ...entries.filter(({ id }, i) => id !== String(i + 1)),
    ...known.entries.filter((entry, i) => entry !== entries[i] && !isDeepStrictEqual(entry, entries[i])),
  ],

  'what a reply says was posted, once, and nothing else but what has ended': (after) => {
    const posted = newOnes(after).filter((entry) => entry.kind !== 'expiry' && !isPeriodic(entry)).map(({ kind, amount, reference }) => `${kind} ${amount} ${reference}`)
    return isDeepStrictEqual(posted, after.learned.posted) ? [] : [{ posted, said: after.learned.posted }]
  },

  'a reply fits what was known': ({ learned }) => learned.wrong,

  'a reply says how the account stands': ({ stored: { balance, reserved }, reply }) => {
    const standing = { balance, reserved, available: balance - reserved }
    return !('balance' in reply) || isDeepStrictEqual({ balance: reply.balance, reserved: reply.reserved, available: reply.available }, standing) ? [] : [standing]
  },

  'what is reserved is held by calls whose deadline has not come': ({ stored: { reserved }, known }) =>
    (reserved === sum(known.open, 'ceiling') ? [] : [known.open]),

  'a charge is at most its ceiling, and each call has one': ({ entries, known }) => {
    const charges = entries.filter(({ kind }) => kind === 'charge')
    const ceilings = new Map(known.calls.map(({ reservation, ceiling }) => [reservation, ceiling]))
    return charges.filter(({ amount, shortfall, reference }, i) =>
      shortfall - amount > ceilings.get(reference)! || shortfall < 0 || charges.findIndex((other) => other.reference === reference) !== i)
  },

  'grants and refunds add, charges and expiries take, at the time of the step': (after) =>
    newOnes(after).filter((entry) => {
      const { kind, amount, at } = entry
      return (kind === 'charge' ? amount > 0 : kind === 'expiry' ? amount >= 0 : amount <= 0) || (kind === 'expiry' || isPeriodic(entry) ? at > after.now : at !== after.now)
    }),

  'an allowance that comes again comes once a period, on its day, and takes no more with it than it may': ({ now, entries, known }) => {
    const periodic = entries.filter(isPeriodic)
    const dates = [...new Set(periodic.map(dateOf))]
    const { every, rollover } = known.recurrence ?? { every: 'day', rollover: 0 }
    const [first, last] = [dates[0], dates.at(-1)]
    return [
      ...dates.filter((date, i) => i > 0 && !(date >= nextPeriod(every, first!, dates[i - 1]!) && date === startOfPeriod(every, first!, date))),
      ...(last && !isFull(known) && !known.isPassedTwice(Date.parse(nextPeriod(every, first!, last))) && Date.parse(nextPeriod(every, first!, last)) <= now ? [last] : []),
      ...periodic.filter(({ reference, amount }, i) => amount > (reference.startsWith('allowance:') ? ALLOWANCE : rollover) || periodic.findIndex((other) => other.reference === reference) !== i),
    ]
  },

  'what goes on into the next period is what is left of the last, and of those in which nobody came': ({ entries, known }) => {
    const { every, rollover } = known.recurrence ?? { every: 'day', rollover: 0 }
    const dates = [...new Set(entries.filter(isPeriodic).map(dateOf))]
    return isFull(known) ? [] : dates.slice(1).filter((date, i) => {
      const last = dates[i]!
      const before = entries.slice(0, entries.findIndex((entry) => isPeriodic(entry) && dateOf(entry) === date))
      let left = 0 - sum(before.filter(({ kind, reference }) => kind === 'expiry' && (reference === `allowance:${last}` || reference === `rollover:${last}`)), 'amount')
      for (let missed = nextPeriod(every, dates[0]!, last); missed < date; missed = nextPeriod(every, dates[0]!, missed)) left += ALLOWANCE
      const carried = entries.find(({ reference }) => reference === `rollover:${date}`)?.amount ?? 0
      const ended = Date.parse(nextPeriod(every, dates[0]!, last))
      // What a reservation holds at the end is not carried on, and ends all the same: of those that may have been open, the most that was.
      const held = sum(known.calls.filter(({ sentAt }) => sentAt <= ended && ended - sentAt < LONGEST_MS), 'ceiling')
      return carried > Math.min(left, rollover) || carried < Math.min(left - held, rollover)
    })
  },

  'nothing ends before its time, and what has ended is held or gone': (after) => [
    ...newOnes(after).filter(({ kind, reference, at }) => kind === 'expiry' && at < endOf(after, reference)),
    ...after.stored.lots.filter(({ expiresAt, left, held }) => expiresAt > 0 && expiresAt <= after.now && left > held && !after.known.isPassedTwice(expiresAt)),
  ],

  'of no lot, nor of the plain credits, more is held than is left': ({ stored }) =>
    inTurn(stored).filter(({ left, held }) => held < 0 || left < held || left > MAX_AMOUNT),

  'a grant that ends or is used out of turn is a lot': ({ now, command, reply, stored: { lots } }) => {
    if (command.kind !== 'grant' || reply.kind !== 'granted' || reply.replayed) return []
    const { grant, amount, priority, expiresAt } = command
    if (expiresAt === 0 ? priority === PLAIN_PRIORITY : expiresAt <= now) return []
    return lots.some((lot) => lot.grant === grant && lot.left === amount && lot.priority === priority && lot.expiresAt === expiresAt) ? [] : [command]
  },

  'a lot that is used up is forgotten, the others are in burn order': ({ stored: { lots } }) =>
    lots.filter(({ left, priority, expiresAt }, i) => {
      const next = lots[i + 1]
      return left === 0 || (next && (priority > next.priority || (priority === next.priority && (expiresAt || Infinity) > (next.expiresAt || Infinity))))
    }),

  'what comes later in burn order is held when nothing before it is free': ({ stored, known }) => {
    const before = new Map(known.stored && inTurn(known.stored).map(({ grant, held }) => [grant, held]))
    const all = inTurn(stored)
    const last = all.findLastIndex(({ grant, held }) => held > (before.get(grant) ?? 0))
    return all.slice(0, Math.max(0, last)).filter(({ left, held }) => left > held)
  },
}

/** A balance that is full has no room for an allowance. */
function isFull({ grants }: Known): boolean {
  return grants.some(({ amount }) => amount > MAX_AMOUNT / 2)
}

/** Posted by time alone. */
function isPeriodic({ kind, reference }: LedgerEntry): boolean {
  return kind === 'grant' && /^(?:allowance|rollover):/.test(reference)
}

function dateOf({ reference }: LedgerEntry): string {
  return reference.slice(reference.indexOf(':') + 1)
}

function newOnes({ entries, known }: After): readonly LedgerEntry[] {
  return entries.slice(known.entries.length)
}

/** When a grant ends, as its entry says. */
function endOf({ entries }: After, grant: string): number {
  return entries.find(({ kind, reference }) => kind === 'grant' && reference === grant)?.lots[0]?.expiresAt || Infinity
}

/** What there is, in burn order: the lots, and where their turn is the plain credits. */
function inTurn({ balance, reserved, lots }: StoredAccount) {
  const plain = { grant: '', left: balance - sum(lots, 'left'), held: reserved - sum(lots, 'held') }
  const after = lots.findIndex(({ priority }) => priority > PLAIN_PRIORITY)
  return after < 0 ? [...lots, plain] : [...lots.slice(0, after), plain, ...lots.slice(after)]
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], field: K): number {
  return items.reduce((total, item) => total + item[field], 0)
}
