import type { Command, ReplyTo, Store } from '@farebox/core'
import { afterEach, beforeEach } from 'vitest'

/** Makes an empty store whose clock is `now`. */
export type MakeStore = (now: () => number) => Store

export const DAY = 86_400_000
export const TODAY = 20_000
/** Texts that would break a separator, a key or a pattern that forgot about them. */
export const ODD_TEXTS = ['', ' ', 'a b', 'a:b', 'a=b', '{1}', '}{', 'a\nb', 'a\r\n', '\0', 'a\0b', '%', '%41', '%d', '(a)', 'é', 'e\u0301', '💸', '__proto__', ':balance', ':u20000', 'x'.repeat(300)]

type Of<K extends Command['kind']> = Partial<Omit<Extract<Command, { kind: K }>, 'kind'>>

/** A new store for each test of the describe that this is called in, its clock, and its commands with ordinary values. */
export function rig(makeStore: MakeStore) {
  let store: Store
  const clock = { now: 0 }
  beforeEach(() => {
    clock.now = TODAY * DAY
    store = makeStore(() => clock.now)
  })
  afterEach(() => store.close())

  const send = <C extends Command>(command: C): Promise<ReplyTo<C>> => store.send(command)
  return {
    clock,
    reserve: (given: Of<'reserve'> = {}) =>
      send({ kind: 'reserve', account: 'ada', reservation: 'r1', ceiling: 30, allowance: 100, ttlMs: 60_000, key: '', payload: '', ...given }),
    settle: (given: Of<'settle'> = {}) =>
      send({ kind: 'settle', account: 'ada', reservation: 'r1', ceiling: 30, charge: 20, product: 'personas', firstSentAt: clock.now, key: '', payload: '', response: '', ...given }),
    release: (given: Of<'release'> = {}) => send({ kind: 'release', account: 'ada', reservation: 'r1', key: '', ...given }),
    extend: (given: Of<'extend'> = {}) => send({ kind: 'extend', account: 'ada', reservation: 'r1', ttlMs: 60_000, ...given }),
    grant: (given: Of<'grant'> = {}) =>
      send({ kind: 'grant', account: 'ada', grant: 'g1', amount: 50, reason: 'top-up', source: 'top-up', priority: 50, expiresAt: 0, ...given }),
    refund: (given: Of<'refund'> = {}) =>
      send({ kind: 'refund', account: 'ada', refund: 'f1', reservation: 'r1', entry: '2', amount: 0, reason: 'broken', ...given }),
    balance: (account = 'ada', given: Of<'balance'> = {}) => send({ kind: 'balance', account, ...given }),
    watch: (given: Of<'watch'> = {}) => send({ kind: 'watch', account: 'ada', watch: 'w1', thresholds: [], ...given }),
    usage: (account = 'ada') => send({ kind: 'usage', account }),
    entries: (given: Of<'entries'> = {}) => send({ kind: 'entries', account: 'ada', after: '', limit: 1_000, ...given }),
    hold: (given: Of<'hold'> = {}) =>
      send({ kind: 'hold', account: 'ada', reservation: 'r1', operation: 'op1', ceiling: 30, product: 'research', ttlMs: 600_000, key: '', payload: '', response: '', ...given }),
    progress: (given: Of<'progress'> = {}) => send({ kind: 'progress', account: 'ada', operation: 'op1', reservation: 'r1', key: '', progress: '', ttlMs: 0, ...given }),
    finish: (given: Of<'finish'> = {}) =>
      send({ kind: 'finish', account: 'ada', operation: 'op1', reservation: 'r1', key: '', succeeded: 1, charge: 20, result: '', ...given }),
    operation: (given: Of<'operation'> = {}) => send({ kind: 'operation', account: 'ada', operation: 'op1', ...given }),
    register: (given: Of<'register'> = {}) => send({ kind: 'register', operation: 'op1', place: 'ada', keptMs: 60_000, ...given }),
    locate: (operation = 'op1') => send({ kind: 'locate', operation }),
    count: (given: Of<'count'> = {}) => send({ kind: 'count', name: 'personas', counts: { calls: 1 }, ...given }),
    counts: (name = 'personas') => send({ kind: 'counts', name }),
    exported: (given: Of<'exported'> = {}) => send({ kind: 'exported', account: 'ada', upTo: 0, ...given }),
    exportJournal: () => send({ kind: 'export_journal' }),
    waiting: (given: Of<'waiting'> = {}) => send({ kind: 'waiting', limit: 100, ...given }),
    accounts: (page = '') => send({ kind: 'accounts', page }),
    lease: (given: Of<'lease'> = {}) => send({ kind: 'lease', name: 'journal', owner: 'a', ttlMs: 60_000, ...given }),
  }
}

export type Rig = ReturnType<typeof rig>

/** How an account stands of which nothing is below 0. */
export function standing(balance: number, reserved: number) {
  return { balance, reserved, available: balance - reserved }
}
