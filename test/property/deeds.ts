import { MAX_AMOUNT, type Budget, type LedgerCommand } from '@farebox/core'
import { nth, type Call, type Known } from './known.js'
import type { Move } from './moves.js'

interface DeedOf {
  readonly weight: number
  /** The command, about what there is: a reservation that is open, a charge that was made; `undefined` where there is none. */
  aim(known: Known, move: Move, now: number): LedgerCommand | undefined
}

export const ALLOWANCE = 100
const BUDGETS: readonly Budget[] = [{ scope: 'key:a', window: 'day', limit: 60 }, { scope: 'key:a', window: 'total', limit: 200 }, { scope: 'b c', window: 'month', limit: 90 }]
/** Whoever got no answer sends a command again for so long, and not later. */
const SENT_AGAIN_MS = 60_000
const DAY = 86_400_000

export type Deed = keyof typeof deeds

export const deeds = {
  reserve: { weight: 14, aim: (known, move, now) => reserveOf(known, newCall(known, move, now)) },
  reserveAgain: { weight: 2, aim: (known, move, now) => reserveOf(known, nth(known.calls.filter(({ sentAt }) => now < sentAt + SENT_AGAIN_MS), move.which)) },
  settle: {
    weight: 20,
    aim(known, move, now) {
      const call = callOf(known, move, now, ({ operation }) => !operation)
      if (!call) return undefined
      call.endAskedAt ??= now
      const { reservation, ceiling, charge, product, key, payload, budgets } = call
      return { kind: 'settle', account: known.account, reservation, ceiling, charge, product, firstSentAt: call.endAskedAt, key, payload, budgets, response: 'done' }
    },
  },
  release: {
    weight: 4,
    aim(known, move, now) {
      const call = callOf(known, move, now, ({ operation }) => !operation)
      if (!call) return undefined
      return { kind: 'release', account: known.account, reservation: call.reservation, key: call.key }
    },
  },
  extend: {
    weight: 4,
    aim(known, move, now) {
      const call = callOf(known, move, now)
      return call && { kind: 'extend', account: known.account, reservation: call.reservation, ttlMs: nth([300_000, 60_000, 1_000], move.variant)! }
    },
  },
  hold: {
    weight: 6,
    aim(known, move, now) {
      const call = callOf(known, move, now, ({ operation, endAskedAt, released }) => (operation ? now < operation.heldAt + SENT_AGAIN_MS : endAskedAt === undefined && !released))
      if (!call) return undefined
      const { reservation, ceiling, product, key, payload } = call
      const taken = nth(known.calls.filter(({ operation }) => operation && now < operation.heldAt + SENT_AGAIN_MS), move.which)
      const operation = call.operation?.id ?? (move.variant % 4 === 2 ? taken?.operation!.id : undefined) ?? `op:${reservation}`
      return { kind: 'hold', account: known.account, reservation, operation, ceiling, product, ttlMs: nth([600_000, 2 * DAY, 60_000, 0], move.variant)!, key, payload, response: 'accepted' }
    },
  },
  progress: {
    weight: 2,
    aim(known, move) {
      const named = operationOf(known, move)
      const { key } = known.calls.find(({ reservation }) => reservation === named?.reservation) ?? { key: '' }
      return named && { kind: 'progress', account: known.account, ...named, key, progress: nth(['half', ''], move.amount)!, ttlMs: nth([0, 60_000, 600_000], move.variant)! }
    },
  },
  finish: {
    weight: 5,
    aim(known, move) {
      const named = operationOf(known, move)
      const { key, charge, budgets } = known.calls.find(({ reservation }) => reservation === named?.reservation) ?? { key: '', charge: 0, budgets: [] }
      return named && { kind: 'finish', account: known.account, ...named, key, succeeded: move.amount % 4 === 3 ? 0 : 1, charge, result: 'result', budgets }
    },
  },
  operation: {
    weight: 1,
    aim(known, move) {
      const named = operationOf(known, move)
      return named && { kind: 'operation', account: known.account, operation: named.operation }
    },
  },
  grant: {
    weight: 9,
    aim(known, { amount, variant }, now) {
      // A balance that is full takes no more.
      const full = known.provisioned && variant >= 58 ? Math.max(0, MAX_AMOUNT - 3 - known.stored!.balance) : 0
      const endsIn = full ? 0 : nth([0, 0, 60_000, 90_000, 120_000, DAY, 31 * DAY, -1], variant)!
      const grant = {
        kind: 'grant', account: known.account, grant: `g:${known.grants.length}`, amount: full || amount + 1, reason: 'for you', source: nth(['promotion', 'top-up'], variant)!,
        priority: nth([50, 50, 10, 90], amount)!, expiresAt: endsIn === 0 ? 0 : now + endsIn,
      } as const
      known.grants.push(grant)
      return grant
    },
  },
  grantAgain: {
    weight: 1,
    aim(known, move) {
      const grant = nth(known.grants, move.which)
      return grant && (move.variant % 3 === 2 ? { ...grant, amount: grant.amount + 1 } : grant)
    },
  },
  refund: {
    weight: 8,
    aim(known, { which, amount, variant }) {
      const charge = variant === 58 ? known.entries[0] : nth(known.charges, which)
      if (!charge) return undefined
      const { id, reference, amount: charged } = charge
      const refund = {
        kind: 'refund', account: known.account, refund: `f:${known.refunds.length}`, reservation: variant === 59 ? 'another' : reference, entry: id,
        amount: nth([0, 1 + amount % Math.max(1, -charged), amount], variant)!, reason: 'for you',
      } as const
      known.refunds.push(refund)
      return refund
    },
  },
  refundAgain: {
    weight: 2,
    aim(known, move) {
      const refund = nth(known.refunds, move.which)
      return refund && (move.variant % 3 === 2 ? { ...refund, amount: refund.amount + 1 } : refund)
    },
  },
  balance: { weight: 4, aim: ({ account }) => readBalance(account) },
  usage: { weight: 1, aim: ({ account }) => ({ kind: 'usage', account }) },
  entries: { weight: 1, aim: ({ account }, { which, variant }) => ({ kind: 'entries', account, after: variant === 0 ? '' : String(variant), limit: which }) },
} satisfies Record<string, DeedOf>

/** How the account stands, and its budgets. */
export function readBalance(account: string): LedgerCommand {
  return { kind: 'balance', account, budgets: BUDGETS }
}

function newCall({ calls }: Known, { amount, variant, which }: Move, now: number): Call {
  const call: Call = {
    reservation: `r${calls.length}`, ceiling: amount, charge: nth([amount, amount >> 1, 0, amount + 5, which], variant)!, product: nth(['search', 'a:b c'], variant)!,
    key: nth(['', '', '', 'k1', 'k2'], amount)!, payload: nth(['p1', 'p1', 'p1', 'p2'], variant)!, ttlMs: nth([60_000, 60_000, 1_000, 300_000], variant)!,
    budgets: nth([[], [], BUDGETS.slice(0, 1), BUDGETS.slice(1)], which)!, sentAt: now, deadline: 0, keyKeptUntil: 0,
  }
  calls.push(call)
  return call
}

/** Most often one that is open; now and then any, or one whose reserve never arrived. */
function callOf(known: Known, move: Move, now: number, isMeant: (call: Call) => boolean = () => true): Call | undefined {
  const meant = (isAny(move) ? known.calls : known.open).filter(isMeant)
  return nth(meant, move.which) ?? (isAny(move) ? newCall(known, move, now) : undefined)
}

function reserveOf({ account, recurrence }: Known, call: Call | undefined): LedgerCommand | undefined {
  if (!call) return undefined
  const { reservation, ceiling, ttlMs, key, payload, budgets } = call
  return { kind: 'reserve', account, reservation, ceiling, allowance: ALLOWANCE, ...(recurrence && { recurrence }), budgets, ttlMs, key, payload }
}

/** Most often one that goes on. */
function operationOf(known: Known, move: Move) {
  const call = nth((isAny(move) ? known.calls : known.open).filter(({ operation }) => operation), move.which)
  if (!call) return isAny(move) ? { operation: 'op:none', reservation: 'none' } : undefined
  return { operation: call.operation!.id, reservation: call.reservation }
}

function isAny({ variant }: Move): boolean {
  return variant % 8 === 7
}
