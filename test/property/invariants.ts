import { MAX_AMOUNT, type LedgerCommand, type LedgerEntry, type LedgerReply } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import { isDeepStrictEqual } from 'node:util'
import { faultsOf } from '../../packages/cli/src/audit/checks.js'
import type { Known } from './known.js'
import type { Learned } from './learn.js'

const PLAIN_PRIORITY = 50

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
export const invariants: Readonly<Record<string, (after: After) => unknown[] | Promise<readonly unknown[]>>> = {
  'the audit finds nothing': ({ stored }) => faultsOf(stored),

  'an entry never changes, and the n-th has the id n': ({ entries, known }) => [
    ...entries.filter(({ id }, i) => id !== String(i + 1)),
    ...known.entries.filter((entry, i) => entry !== entries[i] && !isDeepStrictEqual(entry, entries[i])),
  ],

  'what a reply says was posted, once, and nothing else but what has ended': (after) => {
    const posted = newOnes(after).filter(({ kind }) => kind !== 'expiry').map(({ kind, amount, reference }) => `${kind} ${amount} ${reference}`)
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
    newOnes(after).filter(({ kind, amount, at }) =>
      (kind === 'charge' ? amount > 0 : kind === 'expiry' ? amount >= 0 : amount <= 0) || (kind === 'expiry' ? at > after.now : at !== after.now)),

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
