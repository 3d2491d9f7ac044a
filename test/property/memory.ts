import { apply, emptyAccount, type AccountState, type BudgetWindow, type LedgerCommand, type LedgerEntry } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import type { Bench } from './run.js'

/** What memoryStore does, with the accounts to be looked at. */
export function memoryBench(): Bench {
  const accounts = new Map<string, AccountState>()
  return {
    send(command: LedgerCommand, now) {
      const [state, reply] = apply(accounts.get(command.account) ?? emptyAccount, command, now)
      accounts.set(command.account, state)
      return reply
    },
    look: (account) => stored(accounts.get(account)!),
  }
}

/** The account as it would be read where it is written down. */
function stored({ balance, reserved, provisioned, recurring, reservations, budgets, lots, grants, refunds, usage, usageDay, journal }: AccountState): StoredAccount {
  const rows = usage.entries().map(([key, used]) => {
    const [, day, product] = /^(\d+):(.*)$/s.exec(key) as unknown as [string, string, string]
    return { day: Number(day), product, ...used }
  })
  const entries: LedgerEntry[] = []
  for (let at = journal; at; at = at.previous) entries.push(at.entry)
  entries.reverse()
  return {
    balance, reserved, provisioned, recurs: recurring !== null, lots, length: entries.length, usage: rows,
    fields: {}, unlisted: [], unreadable: [],
    open: reservations.entries().flatMap(([, reservation]) => (reservation.kind === 'open' ? [reservation] : [])),
    budgets: budgets.entries().map(([key, use]) => {
      const [window, scope] = key.split(/ (.*)/s) as [BudgetWindow, string]
      return { window, scope, ...use }
    }),
    grants: new Map(grants.entries()),
    refunds: new Map(refunds.entries().map(([reservation, { total }]) => [reservation, total])),
    refundsById: new Map(refunds.entries().map(([reservation, { byId }]) => [reservation, Object.values(byId).reduce((sum, amount) => sum + amount, 0)])),
    usageDay: Math.max(usageDay, ...rows.map(({ day }) => day)),
    async *entries() { yield entries },
  }
}
