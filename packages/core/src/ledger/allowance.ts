import { allowancePeriod, anchorOf, dateOf, dayOf, periodStart } from './calendar.js'
import { earliest } from './calendar.js'
import type { Reserve } from './commands.js'
import { add } from './grant.js'
import { DAY_MS, MAX_AMOUNT } from './limits.js'
import { DEFAULT_PRIORITY, expire } from './lots.js'
import { letGo } from './reservations.js'
import type { AccountState, RecurringAllowance, Recurrence } from './state.js'

/** The first billable call brings the allowance, on top of whatever was granted before and as far as it can be counted. */
export function provision(state: AccountState, { allowance, recurrence }: Reserve, now: number): AccountState {
  if (recurrence) return recur(state, allowance, recurrence, now)
  if (state.provisioned) return state
  return credit({ ...state, provisioned: true }, 'allowance', allowance, 0, now)
}

/** The first call that asks for it begins the first period, on its day. New terms hold from the next period on. */
function recur(state: AccountState, amount: number, { every, rollover }: Recurrence, now: number): AccountState {
  const known = state.recurring
  if (known?.amount === amount && known.every === every && known.rollover === rollover) return state
  if (known) return { ...state, recurring: { ...known, every, rollover, amount } }
  const since = dayOf(now)
  const terms = { every, rollover, amount, anchor: anchorOf(since) }
  return begin({ ...state, provisioned: true }, terms, since, 0, now)
}

/**
 * Begins the period that `now` is in, when the last one has ended. What is left of that goes on as far as it may; what reservations hold
 * at its end does not. Periods in which nobody came add up as if somebody had come.
 */
export function renew(state: AccountState, now: number): AccountState {
  const { recurring } = state
  if (!recurring || now < recurring.until * DAY_MS) return state
  const { since, until, amount, rollover } = recurring
  const ended = letGo(state, until * DAY_MS)
  const own = new Set(['allowance', 'rollover'].map((source) => idOf(source, since)))
  const left = ended.lots.reduce((sum, lot) => (own.has(lot.grant) ? sum + lot.left - lot.held : sum), 0)
  const period = allowancePeriod(recurring, dayOf(now))
  const missed = period - allowancePeriod(recurring, until)
  const begins = Math.max(periodStart(recurring, period), until)
  // All that has ended by then, or it would seem to be there when the period begins.
  const before = expire(letGo(ended, begins * DAY_MS), begins * DAY_MS)
  return begin(before, recurring, begins, Math.min(left + missed * amount, rollover), begins * DAY_MS)
}

function begin(state: AccountState, terms: Omit<RecurringAllowance, 'since' | 'until'>, since: number, carried: number, at: number): AccountState {
  const until = periodStart(terms, allowancePeriod(terms, since) + 1)
  const begun = { ...state, recurring: { ...terms, since, until }, sweepAt: earliest(state.sweepAt, until * DAY_MS) }
  // What was carried on is the older one, so it is used first.
  return credit(credit(begun, idOf('rollover', since), carried, until * DAY_MS, at), idOf('allowance', since), terms.amount, until * DAY_MS, at)
}

/** Adds as much as can be counted. */
function credit(state: AccountState, grant: string, wanted: number, expiresAt: number, at: number): AccountState {
  const amount = Math.min(wanted, MAX_AMOUNT - state.balance)
  if (amount === 0) return state
  const source = grant.split(':')[0]!
  return add(state, { grant, amount, priority: DEFAULT_PRIORITY, expiresAt, source }, source, at)
}

function idOf(source: string, day: number): string {
  return `${source}:${dateOf(day)}`
}
