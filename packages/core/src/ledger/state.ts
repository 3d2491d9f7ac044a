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
  readonly reservations: PersistentMap<Reservation>
  /** Amount by grant id. Kept for good: a webhook may be sent again days later. */
  readonly grants: PersistentMap<number>
  /** By `usageKey(day, product)`. */
  readonly usage: PersistentMap<Usage>
  /** The UTC day number of the last usage; older days are dropped when it moves. */
  readonly usageDay: number
  readonly journal: Journal | null
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

interface Usage {
  readonly calls: number
  readonly charged: number
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
  readonly kind: 'grant' | 'charge'
  /** Signed, micro-credits: positive for a grant, zero or negative for a charge. */
  readonly amount: number
  /** The balance after this entry, micro-credits. */
  readonly balance: number
  /** The reservation of a charge, the id of a grant. */
  readonly reference: string
  /** A charge: the product it is reported under. A grant: its reason. */
  readonly label: string
  /** A late charge: what was spent but could not be taken any more, micro-credits. Otherwise 0. */
  readonly shortfall: number
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
  reservations: PersistentMap.empty(),
  grants: PersistentMap.empty(),
  usage: PersistentMap.empty(),
  usageDay: 0,
  journal: null,
  calls: PersistentMap.empty(),
  operations: PersistentMap.empty(),
}
