import type { Budget, BudgetKey, Crossing, LedgerCommand, Recurrence, Threshold } from '@farebox/core'
import { encodeNumber, encodeText } from './text.js'

/** What a command says in lists, as its Lua file takes it: `''` for the most, which say nothing. */
export function listsOf(command: LedgerCommand) {
  switch (command.kind) {
    case 'reserve': return { terms: termsOf(command.recurrence, command.budgets ?? []) }
    case 'settle': case 'finish': case 'balance': return { budgets: (command.budgets ?? []).map(scopeOf).join(',') }
    case 'watch': return { thresholds: command.thresholds.map(thresholdOf).join(',') }
    default: return undefined
  }
}

function termsOf(recurrence: Recurrence | undefined, budgets: readonly Budget[]): string {
  if (!recurrence && budgets.length === 0) return ''
  const recurs = recurrence ? `${recurrence.every}:${encodeNumber('rollover', recurrence.rollover)}` : ''
  return `${recurs}|${budgets.map(({ scope, window, limit }) => `${window}:${encodeNumber('limit', limit)}:${encodeText(scope)}`).join(',')}`
}

function scopeOf({ scope, window }: BudgetKey): string {
  return `${window}:${encodeText(scope)}`
}

function thresholdOf(threshold: Threshold): string {
  switch (threshold.kind) {
    case 'below': return `below:${encodeNumber('amount', threshold.amount)}`
    case 'used': return `used:${encodeNumber('millionths', threshold.millionths)}`
    case 'top_up': return `top_up:${encodeNumber('amount', threshold.amount)}:${encodeNumber('retryMs', threshold.retryMs)}`
  }
}

/** `spent held` */
export function decodeUse(line: string): { spent: number, held: number } {
  const [spent, held] = line.split(' ').map(Number) as [number, number]
  return { spent, held }
}

/** `threshold:number` */
export function decodeCrossing(crossing: string): Crossing {
  const [threshold, number] = crossing.split(':').map(Number) as [number, number]
  return { threshold, number }
}
