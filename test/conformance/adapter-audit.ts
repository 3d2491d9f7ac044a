import type { Command, LedgerEntry, Store } from '@farebox/core'
import { expect, vi } from 'vitest'
import type { Reply } from './adapter-reply.js'

/** What the callers of one ledger were told, to be held against it. */
export class Audit {
  readonly #replies: { readonly account: string; readonly reply: Reply }[] = []
  readonly #accounts = new Set<string>(['ada'])
  #unread = 0
  #lost = false

  constructor(readonly store: Store) {}

  told(account: string, reply: Reply): void {
    this.#accounts.add(account)
    this.#replies.push({ account, reply })
  }

  /** A call whose response nobody has read, or not to its end. */
  unread(account: string): void {
    this.#accounts.add(account)
    this.#unread++
  }

  concerns(account: string): void {
    this.#accounts.add(account)
  }

  /** The store will not come back: there is no ledger to look at. */
  loseLedger(): void {
    this.#lost = true
  }

  async check(): Promise<void> {
    for (const account of this.#lost ? [] : this.#accounts) await this.#checkAccount(account)
  }

  /** Each charge that a caller was told of is one entry, and each entry such a charge; a stream's or an operation's may be untold. */
  async #checkAccount(account: string): Promise<void> {
    const replies = this.#replies.filter((sent) => sent.account === account).map(({ reply }) => reply)
    const told = replies.flatMap(({ charged, replayed }) => (replayed ? [] : charged || []))
    const untold = (await this.#entries(account)).filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
    for (const charge of told) {
      const at = untold.indexOf(charge)
      expect(at, `${account} was told of a charge of ${charge}: ${told.join()} against ${untold.join()}`).toBeGreaterThanOrEqual(0)
      untold.splice(at, 1)
    }
    const later = replies.filter(({ ceiling, charged, replayed }) => !replayed && ceiling !== undefined && charged === undefined).length + this.#unread
    expect(untold.length, `entries that no response of ${account} told of: ${untold.join()}`).toBeLessThanOrEqual(later)
    for (const reply of replies) expectMeteringOf(reply)
    await vi.waitFor(async () => {
      const { balance, reserved } = await this.#ask({ kind: 'balance', account })
      const entries = await this.#entries(account)
      expect({ balance, reserved }).toEqual({ balance: entries.reduce((sum, { amount }) => sum + amount, 0), reserved: 0 })
    })
  }

  async #entries(account: string): Promise<readonly LedgerEntry[]> {
    return (await this.#ask({ kind: 'entries', account, after: '', limit: 10_000 })).entries
  }

  #ask<C extends Command>(command: C) {
    return this.store.send(command)
  }
}

/** Where a call's response carries metering, it says what its headers say; of a pending operation they name no charge. */
function expectMeteringOf({ json, charged, ceiling }: Reply): void {
  const metering = json?.['metering'] as { creditsCharged: number; estimatedMaxCredits: number; pending?: boolean } | undefined
  if (metering && ceiling !== undefined) {
    expect([metering.creditsCharged, metering.estimatedMaxCredits]).toEqual([charged ?? 0, ceiling])
    if (charged === undefined) expect(metering.pending).toBe(true)
  }
  if (charged !== undefined && ceiling !== undefined) expect(charged).toBeLessThanOrEqual(ceiling)
}
