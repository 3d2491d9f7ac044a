import { post } from './journal.js'
import type { AccountState, Lot, OpenReservation, Share } from './state.js'

/** The priority of a grant that names none. The lower, the earlier its credits are used. */
export const DEFAULT_PRIORITY = 50

type Ranked = Pick<Lot, 'priority' | 'expiresAt'>

/**
 * Credits that end, or are used before or after others, are lots. All others are one, the plain credits, which no
 * record is kept of: they are what the balance has besides the lots. So an account without lots costs nothing more.
 *
 * Burn order: priority, then the earliest end, then the oldest.
 */
export function addLot<L extends Ranked>(lots: readonly L[], lot: L): readonly L[] {
  const at = lots.findIndex((other) => isBefore(lot, other))
  return at < 0 ? [...lots, lot] : [...lots.slice(0, at), lot, ...lots.slice(at)]
}

/** Which credits an amount is taken from, in burn order; plain ones are the share of `''`. */
export function sharesOf({ lots, balance, reserved }: AccountState, amount: number): readonly Share[] {
  const plain = balance - sum(lots, 'left') - (reserved - sum(lots, 'held'))
  let open = amount
  const take = (grant: string, available: number): Share[] => {
    const taken = Math.min(open, available)
    open -= taken
    return taken > 0 ? [{ grant, amount: taken }] : []
  }
  return inBurnOrder(lots).flatMap((lot) => (lot ? take(lot.grant, lot.left - lot.held) : take('', plain)))
}

/** Which credits a reservation holds, in burn order. */
export function heldShares({ lots }: AccountState, { ceiling, shares }: OpenReservation): readonly Share[] {
  const plain = ceiling - sum(shares, 'amount')
  return inBurnOrder(lots).flatMap((lot) => {
    const amount = lot ? shares.find(({ grant }) => grant === lot.grant)?.amount ?? 0 : plain
    return amount > 0 ? [{ grant: lot?.grant ?? '', amount }] : []
  })
}

/** The first credits of these shares, `amount` of them. */
export function firstOf<S extends Share>(shares: readonly S[], amount: number): readonly S[] {
  let open = amount
  return shares.flatMap((share) => {
    const taken = Math.min(open, share.amount)
    open -= taken
    return taken > 0 ? [{ ...share, amount: taken }] : []
  })
}

/** Only those of lots: what is written down of shares. */
export function ofLots(shares: readonly Share[]): readonly Share[] {
  return shares.filter(({ grant }) => grant !== '')
}

/** Changes what is left of lots, or held of them, by shares. */
export function change(state: AccountState, field: 'left' | 'held', shares: readonly Share[], sign: 1 | -1): AccountState {
  if (ofLots(shares).length === 0) return state
  const lots = state.lots.map((lot) => {
    const amount = shares.find(({ grant }) => grant === lot.grant)?.amount ?? 0
    return amount === 0 ? lot : { ...lot, [field]: lot[field] + sign * amount }
  })
  return { ...state, lots }
}

/**
 * Takes away what has ended and is not held, with an entry for each lot, and forgets the lots that are used up. What a
 * reservation holds stays until that gives it back.
 *
 * @param at when what ends now has ended, where that is not the end of its lot: it was given back later
 */
export function expire(state: AccountState, now: number, at?: number): AccountState {
  const ended = state.lots.filter(({ expiresAt, left, held }) => expiresAt > 0 && expiresAt <= now && left > held)
  const posted = [...ended].sort((a, b) => a.expiresAt - b.expiresAt).reduce((before, { grant, left, held, source, expiresAt }) => post(before, {
    at: at ?? expiresAt, kind: 'expiry', amount: held - left, reference: grant, label: source, shortfall: 0, lots: [], details: '',
  }), state)
  const lots = posted.lots.map((lot) => (ended.includes(lot) ? { ...lot, left: lot.held } : lot)).filter(({ left }) => left > 0)
  return lots.length === state.lots.length && ended.length === 0 ? state : { ...posted, lots }
}

/** When the next lot ends, also one that is held: it may come free before; 0 for none. */
export function nextEnd(lots: readonly Lot[], now: number): number {
  return lots.reduce((next, { expiresAt }) => (expiresAt > now && (next === 0 || expiresAt < next) ? expiresAt : next), 0)
}

/** The lots and, as `undefined`, the plain credits. */
function inBurnOrder(lots: readonly Lot[]): readonly (Lot | undefined)[] {
  const after = lots.findIndex((lot) => lot.priority > DEFAULT_PRIORITY)
  return after < 0 ? [...lots, undefined] : [...lots.slice(0, after), undefined, ...lots.slice(after)]
}

function isBefore(a: Ranked, b: Ranked): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  return (a.expiresAt || Infinity) < (b.expiresAt || Infinity)
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], field: K): number {
  return items.reduce((total, item) => total + item[field], 0)
}
