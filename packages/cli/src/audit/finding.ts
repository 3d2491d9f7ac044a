/** Something that is not as it must be. Amounts in credits. */
export interface Finding {
  readonly account: string
  readonly check: Check
  /** Which of its parts it is about: an entry, a grant, a reservation, a day and product, a key. */
  readonly at?: string
  readonly expected: number | string
  readonly found: number | string
}

/** What became of a finding: put right, or left as it is. */
export type Repair = Finding & ({ readonly kind: 'repaired' } | { readonly kind: 'left', readonly why: string })

export type Check = keyof typeof MEANING

/** What each check holds against what. */
export const MEANING = {
  balance: 'the balance is the sum of the entries',
  entries: 'each entry\'s balance follows from the one before',
  plain: 'the balance covers what is left of its grants',
  lots: 'what is left of a grant follows from the entries',
  held: 'what is held of a grant is held by open reservations',
  reserved: 'reserved is the sum of the open reservations',
  available: 'no more is reserved than there is',
  budgets: 'what a budget holds is held by open reservations',
  usage: 'usage is what was called, charged and refunded that day',
  grants: 'the ids of grants are remembered, so that none is given twice',
  allowance: 'an allowance that was given is remembered, so that it is not given twice',
  refunds: 'what was refunded is what the entries say, and no more than the charge',
  orphan: 'no key is without its account',
  partition: 'a key is in the partition where the store looks for it',
  readable: 'what is stored is what the store writes',
} as const
