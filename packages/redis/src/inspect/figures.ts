import type { BudgetKey, BudgetUse, Lot, RecurringAllowance, UsageRow } from '@farebox/core'
import type { Cluster, Redis } from 'ioredis'
import { repair } from '../program.generated.js'
import { runScript } from '../script.js'
import { encodeText } from '../text.js'
import { keysOf, type StoredAccount } from './account.js'
import type { StoredKey } from './keys.js'

/** Figures of an account that follow from its journal and its open reservations. What is absent stays as it is. Amounts in micro-credits. */
export interface Figures {
  readonly balance?: number
  readonly reserved?: number
  /** All of them, in burn order. */
  readonly lots?: readonly Lot[]
  readonly budgets?: readonly (BudgetKey & BudgetUse)[]
  /** All days that are kept. */
  readonly usage?: readonly UsageRow[]
  /** That it had its allowance. */
  readonly provisioned?: true
  readonly recurring?: RecurringAllowance
  /** Amount by grant id, of those that are to be remembered. */
  readonly grants?: ReadonlyMap<string, number>
  /** What was given back, by reservation, likewise. */
  readonly refunds?: ReadonlyMap<string, number>
}

/**
 * Writes figures of an account, in one step.
 *
 * @param read the account as it was when they were computed
 * @returns whether they were written: not when the account has changed since
 */
export async function writeFigures(redis: Redis | Cluster, { accountKey }: Pick<StoredKey, 'accountKey'>, read: StoredAccount, figures: Figures): Promise<boolean> {
  const keyOf = keysOf(accountKey)
  const was = Object.entries(read.fields)
  const hashes = [fieldsOf(figures), amounts(figures.grants), amounts(figures.refunds)]
  const reply = await runScript(redis, repair, ['account', 'journal', 'grants', 'refunds'].map(keyOf),
    [String(read.length), String(was.length), ...was.flat(), ...hashes.flatMap((writes) => [String(writes.length), ...writes.flat()])])
  return reply === 'repaired\n'
}

function fieldsOf({ balance, reserved, lots, budgets = [], usage, provisioned, recurring }: Figures): readonly (readonly [string, string])[] {
  return [
    ...(balance === undefined ? [] : [[':balance', String(balance)] as const]),
    ...(reserved === undefined ? [] : [[':reserved', String(reserved)] as const]),
    ...(lots === undefined ? [] : [[':lots', lots.map(lotText).join('')] as const]),
    ...budgets.map(({ window, scope, period, spent, held }) => [`:w${window}:${encodeText(scope)}`, `${period} ${spent} ${held}`] as const),
    ...(usage === undefined ? [] : usageFields(usage)),
    ...(provisioned === undefined ? [] : [[':provisioned', '1'] as const]),
    ...(recurring === undefined ? [] : [[':recurring', recurringText(recurring)] as const]),
    // The next command looks when the account is to be swept.
    [':sweepAt', '1'],
  ]
}

function lotText({ grant, left, held, priority, expiresAt, source }: Lot): string {
  return ` ${encodeText(grant)}=${left}:${held}:${priority}:${expiresAt}:${encodeText(source)}`
}

function recurringText({ every, amount, rollover, anchor, since, until }: RecurringAllowance): string {
  return `${every} ${amount} ${rollover} ${anchor} ${since} ${until}`
}

function usageFields(rows: readonly UsageRow[]): readonly (readonly [string, string])[] {
  const days = [...new Set(rows.map(({ day }) => day))].sort((a, b) => a - b)
  return [
    ...days.map((day) => [`:u${day}`, rows.filter((row) => row.day === day).map(rowText).join('')] as const),
    [':days', days.join(' ')],
    [':usageDay', String(days.at(-1) ?? 0)],
  ]
}

function rowText({ product, calls, charged, refunded }: UsageRow): string {
  return ` ${encodeText(product)}=${calls}:${charged}${refunded === 0 ? '' : `:${refunded}`}`
}

function amounts(byId: ReadonlyMap<string, number> = new Map()): readonly (readonly [string, string])[] {
  return [...byId].map(([id, amount]) => [encodeText(id), String(amount)])
}
