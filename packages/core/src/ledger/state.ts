import { PersistentMap } from './persistent-map.js'

/** One account. All amounts are micro-credits, all times ms since the epoch. */
export interface AccountState {
  /** Posted credits: the sum of the ledger entries. */
  readonly balance: number
  /** Set aside by open reservations. */
  readonly reserved: number
  /** Whether the account had its first billable call, and with it its allowance. */
  readonly provisioned: boolean
  /** Nothing needs sweeping before this time; 0 when there is nothing to sweep. */
  readonly sweepAt: number
  /** Until when what is over may have been forgotten. The clock may be put back, this is not. */
  readonly sweptAt: number
  readonly reservations: PersistentMap<Reservation>
  /** Amount by grant id. Kept for good: a webhook may be sent again days later. */
  readonly grants: PersistentMap<number>
  /** By `usageKey(day, product)`. */
  readonly usage: PersistentMap<Usage>
  /** The UTC day number of the last usage; older days are dropped when it moves. */
  readonly usageDay: number
  readonly journal: Journal | null
  /** How many of its entries have gone on to a sink. */
  readonly exported: number
  /** The grants that end, or are used out of turn, in burn order; see lots.ts. */
  readonly lots: readonly Lot[]
  /** The balance after the last grant. */
  readonly topped: number
  readonly recurring: RecurringAllowance | null
  /** By `budgetKey`. */
  readonly budgets: PersistentMap<BudgetUse>
  /** By `thresholdKey`, of thresholds that were watched. */
  readonly alerts: PersistentMap<Alert>
  /** What was given back, by reservation. */
  readonly refunds: PersistentMap<Refunded>
  /** By idempotency key. */
  readonly calls: PersistentMap<KeyedCall>
  /** By operation id. */
  readonly operations: PersistentMap<Operation>
}

export type Reservation = OpenReservation | ClosedReservation

export interface OpenReservation {
  readonly kind: 'open'
  readonly ceiling: number
  readonly reservedAt: number
  readonly expiresAt: number
  /** What it holds of lots; the rest of its ceiling are plain credits. */
  readonly shares: readonly Share[]
  readonly budgets: readonly HeldBudget[]
}

export interface Recurrence {
  readonly every: 'day' | 'month'
  /** At most so much of what is left at the end of a period goes on into the next one. */
  readonly rollover: number
}

/** An allowance that comes again. Days are UTC, as days since the epoch. */
export interface RecurringAllowance extends Recurrence {
  readonly amount: number
  /** The day of the month on which periods begin, or the month's last where it has no such day. */
  readonly anchor: number
  /** The current period. */
  readonly since: number
  readonly until: number
}

/** What a limit is about. Windows are UTC days and calendar months. */
export interface BudgetKey {
  readonly scope: string
  readonly window: BudgetWindow
}

export type BudgetWindow = 'day' | 'month' | 'total'

/** What a reservation holds its ceiling in: which one of the windows. */
export interface HeldBudget extends BudgetKey {
  readonly period: number
}

/** Of one window, the last one in which there was anything. */
export interface BudgetUse {
  readonly period: number
  readonly spent: number
  readonly held: number
}

/** What is known of a threshold. */
export interface Alert {
  /** The balance below which it is told. */
  readonly level: number
  /** Whether it is to be told when the balance passes it. */
  readonly armed: boolean
  /** The `watch` that was told. */
  readonly by: string
  readonly toldAt: number
  /** How many times it was told; see `Crossing`. */
  readonly number: number
}

/** What is left of one grant. */
export interface Lot {
  readonly grant: string
  /** What reservations hold of it included. */
  readonly left: number
  readonly held: number
  readonly priority: number
  /** 0: never. */
  readonly expiresAt: number
  readonly source: string
}

/** An amount of one lot; `''`: of the plain credits. */
export interface Share {
  readonly grant: string
  readonly amount: number
}

/** A share as a ledger entry keeps it: with what it takes to give it back. */
export type SpentShare = Share & Pick<Lot, 'priority' | 'expiresAt' | 'source'>

/** What was given back of a charge, and by which refunds. */
export interface Refunded {
  readonly total: number
  readonly byId: Readonly<Record<string, number>>
}

/** What is left of a reservation for `CLOSED_KEPT_MS`, so that ending it again gives the first answer. */
export interface ClosedReservation {
  readonly kind: 'settled' | 'released'
  readonly ceiling: number
  readonly charge: number
  readonly shortfall: number
  readonly late: boolean
  readonly closedAt: number
}

export interface Usage {
  readonly calls: number
  readonly charged: number
  readonly refunded: number
}

/** The call that was made under an idempotency key. Until it is finished it counts for as long as its reservation is open. */
export interface KeyedCall {
  readonly reservation: string
  readonly payload: string
  readonly finished: boolean
  readonly ceiling: number
  readonly charge: number
  readonly response: string
  /** When it is forgotten. */
  readonly keptUntil: number
}

/** A pending one whose reservation is not open any more has expired. */
export type OperationStatus = 'pending' | 'succeeded' | 'failed' | 'expired'

/** A call that answered before its work was done. */
export interface Operation {
  readonly reservation: string
  readonly product: string
  readonly status: 'pending' | 'succeeded' | 'failed'
  readonly ceiling: number
  readonly charge: number
  readonly shortfall: number
  readonly late: boolean
  /** When its call was reserved or, where that had expired, became an operation. */
  readonly startedAt: number
  /** 0 until then. */
  readonly finishedAt: number
  readonly progress: string
  readonly result: string
  /** When it is forgotten. */
  readonly keptUntil: number
}

/** One immutable movement of the balance. */
export interface LedgerEntry {
  /** Unique within the account and ascending: `after` when reading on from here. */
  readonly id: string
  readonly at: number
  readonly kind: 'grant' | 'charge' | 'refund' | 'expiry'
  /** Signed, micro-credits: positive for a grant or a refund, zero or negative for a charge or an expiry. */
  readonly amount: number
  /** The balance after this entry, micro-credits. */
  readonly balance: number
  /** The reservation of a charge or a refund, the id of a grant or of the one that expired. */
  readonly reference: string
  /** A charge: the product it is reported under. A grant or a refund: its reason. An expiry: the source of its grant. */
  readonly label: string
  /** A late charge: what was spent but could not be taken any more, micro-credits. Otherwise 0. */
  readonly shortfall: number
  /** Of a grant: itself. Of a charge: what was taken from lots, of a refund: what went back to them; the rest were plain credits. */
  readonly lots: readonly SpentShare[]
  /** Of a charge or a refund: what its command said besides, as the JSON of an object; `''` where there is nothing to say. */
  readonly details: string
}

/** The entries as a list, newest first. */
export interface Journal {
  readonly entry: LedgerEntry
  readonly length: number
  readonly previous: Journal | null
}

export const emptyAccount: AccountState = {
  balance: 0,
  reserved: 0,
  provisioned: false,
  sweepAt: 0,
  sweptAt: 0,
  reservations: PersistentMap.empty(),
  grants: PersistentMap.empty(),
  usage: PersistentMap.empty(),
  usageDay: 0,
  journal: null,
  exported: 0,
  lots: [],
  topped: 0,
  recurring: null,
  budgets: PersistentMap.empty(),
  alerts: PersistentMap.empty(),
  refunds: PersistentMap.empty(),
  calls: PersistentMap.empty(),
  operations: PersistentMap.empty(),
}
