import type { Refund, Replies } from './commands.js'
import { keepApart } from './grant.js'
import { post } from './journal.js'
import { MAX_AMOUNT } from './limits.js'
import { addLot, DEFAULT_PRIORITY, firstOf } from './lots.js'
import { standing } from './standing.js'
import type { AccountState, Journal, LedgerEntry, Refunded, SpentShare } from './state.js'
import { countRefund } from './usage.js'

const none: Refunded = { total: 0, byId: {} }

export function refund(state: AccountState, command: Refund, now: number): [AccountState, Replies['refund']] {
  const charge = entryOf(state.journal, command.entry)
  if (charge?.kind !== 'charge' || charge.reference !== command.reservation) return [state, { kind: 'no_charge', ...standing(state) }]
  const known = state.refunds.get(command.reservation) ?? none
  // A reservation that was forgotten may have been charged again: its refunds count against each of its charges.
  const left = Math.max(0, 0 - charge.amount - known.total)
  const earlier = Object.hasOwn(known.byId, command.refund) ? known.byId[command.refund] : undefined
  const amount = command.amount === 0 ? earlier ?? left : command.amount
  if (earlier === amount) return [state, { kind: 'refunded', amount, replayed: true, left, ...standing(state) }]
  if (earlier !== undefined) return [state, { kind: 'refund_conflict', amount: earlier, ...standing(state) }]
  if (amount > left || amount === 0) return [state, { kind: 'refund_too_high', left, ...standing(state) }]
  if (state.balance + amount > MAX_AMOUNT) return [state, { kind: 'refund_overflow', ...standing(state) }]

  const lots = partOf(charge, known.total, amount).filter(({ expiresAt }) => expiresAt === 0 || expiresAt > now)
  const posted = post(state, { at: now, kind: 'refund', amount, reference: command.reservation, label: command.reason, shortfall: 0, lots, details: command.details ?? '' })
  const restored = lots.reduce((before, share) => restore(before, share, now), posted)
  const total = known.total + amount
  const after = {
    ...countRefund(restored, charge.label, amount, now),
    refunds: restored.refunds.set(command.reservation, { total, byId: { ...known.byId, [command.refund]: amount } }),
  }
  return [after, { kind: 'refunded', amount, replayed: false, left: left - amount, ...standing(after) }]
}

function entryOf(journal: Journal | null, id: string): LedgerEntry | undefined {
  for (let at = journal; at; at = at.previous) if (at.entry.id === id) return at.entry
  return undefined
}

/** What this refund gives back of lots, when `before` was given back by others: from the end of the charge on. */
function partOf({ amount: charged, lots }: LedgerEntry, before: number, amount: number): readonly SpentShare[] {
  const plain = 0 - charged - lots.reduce((sum, share) => sum + share.amount, 0)
  const burned = addLot(lots, { grant: '', amount: plain, priority: DEFAULT_PRIORITY, expiresAt: 0, source: '' })
  const upTo = (sum: number) => firstOf(burned.toReversed(), sum)
  const earlier = new Map(upTo(before).map(({ grant, amount: given }) => [grant, given]))
  return upTo(before + amount).flatMap((share) => {
    const rest = share.amount - (earlier.get(share.grant) ?? 0)
    return share.grant !== '' && rest > 0 ? [{ ...share, amount: rest }] : []
  })
}

/** Puts credits back into their lot. */
function restore(state: AccountState, share: SpentShare, now: number): AccountState {
  const { grant, amount } = share
  if (!state.lots.some((lot) => lot.grant === grant)) return keepApart(state, share, now)
  return { ...state, lots: state.lots.map((lot) => (lot.grant === grant ? { ...lot, left: lot.left + amount } : lot)) }
}
