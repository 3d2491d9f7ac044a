import type { LedgerCommand, LedgerEntry, LedgerReply } from '@farebox/core'
import type { StoredAccount } from '@farebox/redis/inspect'
import { isDeepStrictEqual } from 'node:util'
import { deeds, readBalance } from './deeds.js'
import { invariants } from './invariants.js'
import { Known } from './known.js'
import { learn } from './learn.js'
import type { Passes, Story } from './moves.js'

/** A store whose clock is set, and into which one can look. */
export interface Bench {
  send(command: LedgerCommand, now: number): Promise<LedgerReply> | LedgerReply
  look(account: string): Promise<StoredAccount> | StoredAccount
}

/** How many steps there were, and how many of them came to what. */
export class Counts {
  steps = 0
  readonly outcomes = new Map<string, number>()

  add(reply: LedgerReply): void {
    this.steps++
    this.note(reply.kind)
    if ('late' in reply && reply.late) this.note('late')
    if ('shortfall' in reply && reply.shortfall > 0) this.note('short')
  }

  note(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }
}

const LONG_MS = 400 * 86_400_000

/** Plays a story, and looks after every step whether all the invariants hold. */
export async function play({ start, recurrence, moves }: Story, bench: Bench, counts: Counts): Promise<void> {
  const accounts = [new Known('ada'), new Known('bob:{1}', recurrence)]
  let now = start
  for (const move of moves) {
    const known = accounts[move.account]!
    now = after(now, move.passes, known)
    // Where there is nothing to do it to, a call is made.
    const command = deeds[move.deed].aim(known, move, now) ?? deeds.reserve.aim(known, move, now)!
    const reply = await step(bench, known, command, now, counts)
    if (!move.again) continue
    const again = await step(bench, known, command, now, counts)
    if (!isDeepStrictEqual({ ...again, replayed: undefined }, { ...reply, replayed: undefined })) throw new Error(`sent again, it is told another thing: ${text({ command, reply, again })}`)
  }
  // Long after nothing is held, and nothing is left of what ends.
  for (const known of accounts) await step(bench, known, readBalance(known.account), now + LONG_MS, counts)
}

function after(now: number, passes: Passes, { ends }: Known): number {
  if ('ms' in passes) return now + passes.ms
  const next = Math.min(...ends.filter((end) => end > now))
  return next < Infinity ? next + passes.off : now
}

async function step(bench: Bench, known: Known, command: LedgerCommand, now: number, counts: Counts): Promise<LedgerReply> {
  known.pass(now)
  const reply = await bench.send(command, now)
  counts.add(reply)
  const learned = learn(known, command, reply, now)
  const stored = await bench.look(known.account)
  const entries: LedgerEntry[] = []
  for await (const page of stored.entries()) entries.push(...page)
  for (const [name, check] of Object.entries(invariants)) {
    const wrong = check({ now, command, reply, learned, stored, entries, known })
    if (wrong.length > 0) throw new Error(`"${name}" does not hold: ${text({ wrong, now, command, reply, stored, entries })}`)
  }
  for (const { kind } of entries.slice(known.entries.length)) counts.note(`entry: ${kind}`)
  Object.assign(known, { stored, entries })
  return reply
}

function text(value: object): string {
  return JSON.stringify(value, (_, item: unknown) => (item instanceof Map ? Object.fromEntries(item) : item))
}
