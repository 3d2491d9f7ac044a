import type { LedgerCommand } from '@farebox/core'
import type { Step } from './commands.js'

const DAY = 86_400_000
/** All runs begin on this day, 2024-10-04. */
const TODAY = 20_000

type Of<K extends LedgerCommand['kind']> = Partial<Omit<Extract<LedgerCommand, { kind: K }>, 'kind'>>

const reserve = (given: Of<'reserve'> = {}) =>
  ({ kind: 'reserve', account: 'ada', reservation: 'r1', ceiling: 30, allowance: 100, ttlMs: 60_000, key: '', payload: '', ...given }) as const
/** `firstSentAt` is its age, as in every step. */
const settle = (given: Of<'settle'> = {}) =>
  ({ kind: 'settle', account: 'ada', reservation: 'r1', ceiling: 30, charge: 20, product: 'a', firstSentAt: 0, key: '', payload: '', response: '', ...given }) as const
const release = (given: Of<'release'> = {}) => ({ kind: 'release', account: 'ada', reservation: 'r1', key: '', ...given }) as const
const grant = (given: Of<'grant'> = {}) =>
  ({ kind: 'grant', account: 'ada', grant: 'g1', amount: 50, reason: '', source: 'top-up', priority: 50, expiresAt: 0, ...given }) as const
const hold = (given: Of<'hold'> = {}) =>
  ({ kind: 'hold', account: 'ada', reservation: 'r1', operation: 'op1', ceiling: 30, product: 'a', ttlMs: 600_000, key: '', payload: '', response: '', ...given }) as const
const progress = (given: Of<'progress'> = {}) => ({ kind: 'progress', account: 'ada', operation: 'op1', reservation: 'r1', key: '', progress: '', ttlMs: 0, ...given }) as const
const finish = (given: Of<'finish'> = {}) => ({ kind: 'finish', account: 'ada', operation: 'op1', reservation: 'r1', key: '', succeeded: 1, charge: 20, result: '', ...given }) as const
const watch = (given: Of<'watch'> = {}) => ({ kind: 'watch', account: 'ada', watch: 'w1', thresholds: [{ kind: 'below', amount: 90 }], ...given }) as const
const balance: LedgerCommand = { kind: 'balance', account: 'ada' }
const refund = (given: Of<'refund'> = {}) => ({ kind: 'refund', account: 'ada', refund: 'f1', reservation: 'r1', entry: '2', amount: 0, reason: '', ...given }) as const

const now = (...commands: LedgerCommand[]): Step => ({ elapsedMs: 0, commands })
const after = (elapsedMs: number, ...commands: LedgerCommand[]): Step => ({ elapsedMs, commands })

const daily = { every: 'day', rollover: 1_000 } as const
const perDay = (limit: number) => ({ scope: 'key', window: 'day', limit }) as const

/** A run that once went wrong. */
export interface Case {
  readonly steps: readonly Step[]
  /** What the last command is to be told, as far as it matters. */
  readonly told: object
}

export const corpus: Readonly<Record<string, Case>> = {
  'the clock is put back after a settle was forgotten: it is not charged again': {
    steps: [now(reserve()), now(settle()), after(120_000, balance), after(-1_000, settle({ firstSentAt: 119_000 }))],
    told: { kind: 'unknown', balance: 80 },
  },
  'the clock is put back after a lot that a call held has ended: it does not come back': {
    steps: [now(grant({ expiresAt: 60_000 }), reserve({ ceiling: 120, ttlMs: 300_000 })), after(60_000, balance), after(-1_000, release()), after(1_000, balance)],
    told: { kind: 'balance', balance: 100, reserved: 0 },
  },
  'a lot ends while it is held, and what was not spent of it goes with the settle': {
    steps: [now(grant({ expiresAt: 1_000 }), reserve({ ceiling: 50 })), after(1_000, settle({ ceiling: 50 })), now(balance)],
    told: { balance: 100, reserved: 0 },
  },
  'an operation that goes on for days keeps the key of its call': {
    steps: [
      now(reserve({ key: 'k', payload: 'p' }), hold({ key: 'k', payload: 'p', response: '{}', ttlMs: 3 * DAY })), after(2 * DAY, progress({ key: 'k', ttlMs: 3 * DAY })),
      after(2 * DAY, reserve({ reservation: 'r2', key: 'k', payload: 'p' })),
    ],
    told: { kind: 'replayed', response: '{}', pending: true, reserved: 30 },
  },
  'an operation that has ended leaves its charge under the key': {
    steps: [now(reserve({ key: 'k', payload: 'p' }), hold({ key: 'k', payload: 'p', response: '{}' }), finish({ key: 'k' })), now(reserve({ reservation: 'r2', key: 'k', payload: 'p' }))],
    told: { kind: 'replayed', charge: 20, pending: false, reserved: 0 },
  },
  'a call that is charged late has its key, though another one that began meanwhile fails': {
    steps: [
      now(reserve({ key: 'k', payload: 'p' })), after(120_000, reserve({ reservation: 'r2', key: 'k', payload: 'p' })), now(settle({ key: 'k', payload: 'p', response: '{}' })),
      now(release({ reservation: 'r2', key: 'k' })), now(reserve({ reservation: 'r3', key: 'k', payload: 'p' })),
    ],
    told: { kind: 'replayed', charge: 20, response: '{}', pending: false, reserved: 0 },
  },
  'a call that has answered keeps its key from one that is charged late': {
    steps: [
      now(reserve({ key: 'k', payload: 'p' })), after(120_000, reserve({ reservation: 'r2', key: 'k', payload: 'p' })), now(hold({ reservation: 'r2', key: 'k', payload: 'p', response: '{2}' })),
      now(settle({ key: 'k', payload: 'p', response: '{1}' })), now(reserve({ reservation: 'r3', key: 'k', payload: 'p' })),
    ],
    told: { kind: 'replayed', response: '{2}', pending: true, reserved: 30 },
  },
  'a call whose reservation has ended begins an operation: its key stays with the one that holds credits': {
    steps: [
      now(reserve({ key: 'k', payload: 'p' })), after(120_000, reserve({ reservation: 'r2', key: 'k', payload: 'p' })), now(hold({ key: 'k', payload: 'p', response: '{1}' })),
      now(reserve({ reservation: 'r3', key: 'k', payload: 'p' })),
    ],
    told: { kind: 'in_progress', reserved: 30 },
  },
  'a budget that a call names twice is held once': {
    steps: [now(reserve({ budgets: [perDay(100), perDay(60)] })), now(settle({ budgets: [perDay(100), perDay(60)] })), now({ kind: 'balance', account: 'ada', budgets: [perDay(100)] })],
    told: { budgets: [{ spent: 20, held: 0 }] },
  },
  'a late charge counts in a budget that is named twice once': {
    steps: [now(reserve({ budgets: [perDay(100)] })), after(60_000, settle({ budgets: [perDay(100), perDay(100)] })), now({ kind: 'balance', account: 'ada', budgets: [perDay(100)] })],
    told: { budgets: [{ spent: 20, held: 0 }] },
  },
  'a grant can not have the id of an allowance that comes again': {
    steps: [now(grant({ grant: 'allowance:2024-10-05' })), now(reserve({ recurrence: daily }))],
    told: { kind: 'reserved', balance: 100 },
  },
  'nor that of what it leaves': {
    steps: [now(reserve({ recurrence: daily })), now(grant({ grant: 'rollover:2024-10-05' })), after(DAY, balance)],
    told: { balance: 200 },
  },
  'a threshold that the first calls pass is told': {
    steps: [now(reserve()), now(settle()), now(watch())],
    told: { crossed: [{ threshold: 0, number: 1 }] },
  },
  'a period that nobody saw end leaves nothing to count the used share from': {
    steps: [now(reserve({ recurrence: { every: 'day', rollover: 0 } }), settle()), after(3 * DAY, watch({ thresholds: [{ kind: 'used', millionths: 500_000 }] }))],
    told: { balance: 100, crossed: [] },
  },
  'a lot that is held when its end comes ends when it comes free': {
    steps: [now(grant({ expiresAt: 1_000 }), reserve({ ceiling: 150 })), after(60_000, balance)],
    told: { balance: 100, reserved: 0 },
  },
  'a refund into a lot that has ended gives credits that do not end, and takes none': {
    steps: [now(grant({ expiresAt: 1_000, priority: 10 })), now(reserve()), now(settle()), after(120_000, refund({ entry: '3' })), now(balance)],
    told: { balance: 120 },
  },
  'a reservation that was forgotten and charged again is refunded no more than once': {
    steps: [now(reserve(), settle()), now(refund()), after(120_000, reserve(), settle()), now(refund({ refund: 'f2', entry: '4' }))],
    told: { kind: 'refund_too_high', left: 0, balance: 80 },
  },
}

export const CORPUS_START = TODAY * DAY
