import type { Billing, Command, LedgerEntry, RouteReport, UsageSummary } from '@farebox/core'
import { expect, vi } from 'vitest'
import type { BuiltApp } from '../support/apps/app.js'
import type { Served } from '../support/apps/serve.js'
import type { FaultyStore } from './adapter-store.js'

export interface CallOptions {
  /** The header `x-account`; `null` sends none. Default `ada`. */
  readonly account?: string | null
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** A whole response, its credits read from the headers. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>> | undefined
  readonly charged: number | undefined
  readonly ceiling: number | undefined
  readonly remaining: number | undefined
}

export interface Standing {
  readonly balance: number
  readonly reserved: number
  readonly available: number
}

/** A served app and the ledger behind it. Amounts in credits. */
export class Api {
  readonly #replies: { readonly account: string; readonly reply: Reply }[] = []
  readonly #granted = new Set<string>(['ada'])
  #grants = 0
  #ledgerLost = false

  constructor(
    private readonly built: BuiltApp,
    private readonly served: Served,
    readonly store: FaultyStore,
    readonly warnings: readonly string[],
    readonly errors: readonly string[],
  ) {}

  get url(): string {
    return this.served.url
  }

  get billing(): Billing & { report(): RouteReport } {
    return this.built.billing!
  }

  /** Calls `METHOD /path` and reads the whole response. */
  async call(route: string, options: CallOptions = {}): Promise<Reply> {
    const response = await this.#fetch(route, options)
    return this.#keep(readReply(response, await response.text()), options)
  }

  /** Calls `METHOD /path`; the body is still to be read. */
  async stream(route: string, options: CallOptions = {}): Promise<Response> {
    const response = await this.#fetch(route, options)
    this.#keep(readReply(response, ''), options)
    return response
  }

  #keep(reply: Reply, { account }: CallOptions): Reply {
    this.#replies.push({ account: account ?? 'ada', reply })
    return reply
  }

  #fetch(route: string, { account = 'ada', body, headers = {} }: CallOptions): Promise<Response> {
    const [method = '', path = ''] = route.split(' ')
    return fetch(this.url + path, {
      method, redirect: 'manual',
      headers: { ...(account !== null && { 'x-account': account }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  }

  /** How the account stands in the store itself. */
  async standing(account = 'ada'): Promise<Standing> {
    const { balance, reserved, available } = await this.#ask({ kind: 'balance', account })
    return { balance: balance / 1e6, reserved: reserved / 1e6, available: available / 1e6 }
  }

  async entries(account = 'ada'): Promise<readonly LedgerEntry[]> {
    const { entries } = await this.#ask({ kind: 'entries', account, after: '', limit: 10_000 })
    return entries
  }

  /** What the account was charged for, in order. */
  async charges(account = 'ada'): Promise<readonly number[]> {
    return (await this.entries(account)).filter(({ kind }) => kind === 'charge').map(({ amount }) => -amount / 1e6)
  }

  async grant(credits: number, account = 'ada'): Promise<void> {
    this.#granted.add(account)
    const { kind } = await this.billing.grant(account, credits, { id: `top-up ${++this.#grants}`, reason: 'top-up' })
    expect(kind).toBe('granted')
  }

  async usage(account = 'ada'): Promise<UsageSummary> {
    const { status, json } = await this.call('POST /v1/credits/projections/usage-summary', { account })
    expect(status).toBe(200)
    return json as unknown as UsageSummary
  }

  /** The store will not come back: there is no ledger to look at when the app is closed. */
  loseLedger(): void {
    this.#ledgerLost = true
  }

  /** Stops the app and holds what every response said against the ledger. */
  async close(): Promise<void> {
    this.store.fault = undefined
    await this.served.stop()
    const accounts = new Set([...this.#granted, ...this.#replies.map(({ account }) => account)])
    try {
      for (const account of this.#ledgerLost ? [] : accounts) await this.#audit(account)
    } finally {
      await this.store.inner.close()
    }
  }

  /** Each charge that a caller was told of is one entry, and each entry such a charge; a stream's may be untold. */
  async #audit(account: string): Promise<void> {
    const replies = this.#replies.filter((sent) => sent.account === account).map(({ reply }) => reply)
    const told = replies.flatMap(({ charged }) => charged || [])
    const untold = [...await this.charges(account)]
    for (const charge of told) {
      const at = untold.indexOf(charge)
      expect(at, `${account} was told of a charge of ${charge}: ${told.join()} against ${untold.join()}`).toBeGreaterThanOrEqual(0)
      untold.splice(at, 1)
    }
    const streams = replies.filter(({ ceiling, charged }) => ceiling !== undefined && charged === undefined)
    expect(untold.length, `entries that no response of ${account} told of: ${untold.join()}`).toBeLessThanOrEqual(streams.length)
    for (const reply of replies) expectMeteringOf(reply)
    await vi.waitFor(async () => {
      const { balance, reserved } = await this.#ask({ kind: 'balance', account })
      const entries = await this.entries(account)
      expect({ balance, reserved }).toEqual({ balance: entries.reduce((sum, { amount }) => sum + amount, 0), reserved: 0 })
    })
  }

  #ask<C extends Command>(command: C) {
    return this.store.inner.send(command)
  }
}

/** Where a response carries metering, it says what its headers say. */
function expectMeteringOf({ json, charged, ceiling }: Reply): void {
  const metering = json?.['metering'] as { creditsCharged: number; estimatedMaxCredits: number } | undefined
  if (metering) expect([metering.creditsCharged, metering.estimatedMaxCredits]).toEqual([charged, ceiling])
  if (charged !== undefined && ceiling !== undefined) expect(charged).toBeLessThanOrEqual(ceiling)
}

function readReply({ status, headers }: Response, text: string): Reply {
  const credits = (name: string) => (headers.has(name) ? Number(headers.get(name)) : undefined)
  return {
    status, headers, text,
    json: /json/.test(headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) as Reply['json'] : undefined,
    charged: credits('credits-charged'), ceiling: credits('credits-ceiling'), remaining: credits('credits-remaining'),
  }
}
