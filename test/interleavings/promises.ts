import type { AccountState, LedgerEntry } from '@farebox/core'
import type { Done } from './net.js'
import { CHARGE, type World } from './world.js'

const MICRO = 1_000_000

/** What holds at every moment. Each says what is wrong. */
export const always: Readonly<Record<string, (world: World) => readonly unknown[]>> = {
  'nothing is overspent': ({ net: { state } }) => (state.balance >= 0 && state.reserved >= 0 && state.reserved <= state.balance ? [] : [[state.balance, state.reserved]]),
  'what was charged was granted': ({ net: { state } }) => {
    const [charged, granted] = [0 - sumOf(state, 'charge'), sumOf(state, 'grant')]
    return charged <= granted && granted - charged === state.balance ? [] : [{ charged, granted, balance: state.balance }]
  },
  'a call is charged once': ({ net: { state } }) => {
    const charged = chargesOf(state).map(({ reference }) => reference)
    return charged.filter((reference, i) => charged.indexOf(reference) !== i)
  },
  'a call runs only when its credits are held': ({ net, runs }) => {
    const reserved = new Set(net.done.flatMap(({ command, reply }) => (command.kind === 'reserve' && reply.kind === 'reserved' ? [command.reservation] : [])))
    return runs.filter(({ ran, reservation }) => ran && !reserved.has(reservation))
  },
  'a key is sold while no other call under it is open or charged': ({ net }) =>
    net.done.filter(({ command, reply }) => command.kind === 'reserve' && command.key !== '' && reply.kind === 'reserved').filter((sold) => net.done.some((other) => isSold(other, sold))),
}

/** What holds when all is over. */
export const afterwards: Readonly<Record<string, (world: World) => readonly unknown[]>> = {
  'no reservation is left': ({ net: { state } }) => (state.reserved === 0 && state.reservations.size === 0 ? [] : [state.reserved, state.reservations.entries()]),
  'what a call is known to have cost is charged, a shortfall, or logged': ({ net: { state }, runs, errors }) => runs.filter(({ state: came, fails }) => came === 'ended' && !fails)
    .filter(({ reservation }) => !chargesOf(state).some(({ reference, amount, shortfall }) => reference === reservation && shortfall - amount === CHARGE * MICRO))
    .filter(({ reservation }) => !errors.some((error) => error.includes('given up') && error.includes(reservation))),
  'a call that did not run, or failed, is not charged': ({ net: { state }, runs }) => chargesOf(state)
    .filter(({ reference }) => !runs.some(({ reservation, fails, ended }) => reservation === reference && !fails && ended)),
  'every call comes to an end': ({ runs }) => runs.filter(({ state }) => state === 'asked' || state === 'running' || state === 'ending'),
}

/** Whether the call of `other` was sold under the same key before, and was still open or has been charged by then. */
function isSold({ command: other, reply }: Done, { command, before, now }: Done): boolean {
  if (other.kind !== 'reserve' || command.kind !== 'reserve' || reply.kind !== 'reserved') return false
  if (other.key !== command.key || other.reservation === command.reservation) return false
  const known = before.reservations.get(other.reservation)
  return (known?.kind === 'open' && known.expiresAt > now) || chargesOf(before).some(({ reference }) => reference === other.reservation)
}

function chargesOf(state: AccountState): LedgerEntry[] {
  return entriesOf(state).filter(({ kind }) => kind === 'charge')
}

function entriesOf({ journal }: AccountState): LedgerEntry[] {
  const entries: LedgerEntry[] = []
  for (let at = journal; at; at = at.previous) entries.unshift(at.entry)
  return entries
}

function sumOf(state: AccountState, kind: LedgerEntry['kind']): number {
  return entriesOf(state).filter((entry) => entry.kind === kind).reduce((total, { amount }) => total + amount, 0)
}
