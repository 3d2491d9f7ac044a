import type { Agent } from 'node:http'
import type { Billing, Command, LedgerEntry, RouteReport, Store, UsageSummary } from '@farebox/core'
import { expect, vi } from 'vitest'
import type { BuiltApp } from '../support/apps/app.js'
import type { Served } from '../support/apps/serve.js'
import type { Audit } from './adapter-audit.js'
import { readReply, type Reply } from './adapter-reply.js'
import type { FaultyStore } from './adapter-store.js'
import { Wire } from './adapter-wire.js'

export type { Reply } from './adapter-reply.js'

export interface CallOptions {
  /** The header `x-account`; `null` sends none. Default `ada`. */
  readonly account?: string | null
  /** Sent as JSON, unless it is text. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface Standing {
  readonly balance: number
  readonly reserved: number
  readonly available: number
}

/** A served app and the ledger behind it. Amounts in credits. */
export class Api {
  #grants = 0

  constructor(
    private readonly built: BuiltApp,
    private readonly served: Served,
    readonly store: FaultyStore,
    /** What every app on the same balances has answered. */
    readonly audit: Audit,
    /** Opens the same balances again, as another process would. */
    readonly reopen: () => Store,
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

  /** The same for a body that is not text. */
  async callForBytes(route: string, options: CallOptions = {}): Promise<Reply & { readonly bytes: Uint8Array }> {
    const response = await this.#fetch(route, options)
    const bytes = new Uint8Array(await response.arrayBuffer())
    return { ...this.#keep(readReply(response, ''), options), bytes }
  }

  /** Calls `METHOD /path`; the body is still to be read. */
  async stream(route: string, options: CallOptions = {}): Promise<Response> {
    const response = await this.#fetch(route, options)
    this.#keep(readReply(response, ''), options)
    return response
  }

  /** Calls `METHOD /path` with the socket in hand. */
  wire(route: string, { account = 'ada', body, headers = {}, agent }: CallOptions & { readonly agent?: Agent } = {}): Wire {
    const [method = '', path = ''] = route.split(' ')
    this.audit.unread(account ?? 'ada')
    return new Wire(method, this.url + path, { headers: headersOf(account, body, headers), body: textOf(body), agent })
  }

  #keep(reply: Reply, { account }: CallOptions): Reply {
    this.audit.told(account ?? 'ada', reply)
    return reply
  }

  #fetch(route: string, { account = 'ada', body, headers = {} }: CallOptions): Promise<Response> {
    const [method = '', path = ''] = route.split(' ')
    return fetch(this.url + path, { method, redirect: 'manual', headers: headersOf(account, body, headers), ...(body !== undefined && { body: textOf(body)! }) })
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

  /** Resolves when nothing is set aside any more, with what was charged. */
  async settled(account = 'ada'): Promise<readonly number[]> {
    await vi.waitFor(async () => expect(await this.standing(account)).toMatchObject({ reserved: 0 }), { timeout: 5_000, interval: 5 })
    return this.charges(account)
  }

  async grant(credits: number, account = 'ada'): Promise<void> {
    this.audit.concerns(account)
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
    this.audit.loseLedger()
  }

  /** Stops the app; its store stays open for whoever looks at the ledger. */
  async stop(): Promise<void> {
    this.store.fault = undefined
    await this.served.stop()
  }

  #ask<C extends Command>(command: C) {
    return this.store.inner.send(command)
  }
}

function headersOf(account: string | null, body: unknown, headers: Readonly<Record<string, string>>): Record<string, string> {
  return { ...(account !== null && { 'x-account': account }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }
}

function textOf(body: unknown): string | undefined {
  return typeof body === 'string' ? body : JSON.stringify(body) as string | undefined
}
