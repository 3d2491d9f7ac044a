import type { RequestListener } from 'node:http'
import type { Billing, BillingOptions, Limit, Route, RouteReport } from '@farebox/core'

/** An app as every framework can have it: the suite describes it, a framework's driver builds it. */
export interface App {
  /** Absent: the app has no billing. Who pays is always the header `x-account`. */
  readonly billing?: Omit<BillingOptions<Asker>, 'account'>
  readonly routes: readonly AppRoute[]
}

/** A request as the options of billing see it. */
export interface Asker {
  header(name: string): string | undefined
}

export interface AppRoute {
  /** `METHOD /path`, with `:name` parameters. */
  readonly route: string
  readonly handler: Handler
  /** Sells the route by `billable` in front of its handler. */
  readonly billable?: Route
  /** Registered before billing is. */
  readonly early?: boolean
}

export type Handler = (request: HandlerRequest) => HandlerAnswer | Promise<HandlerAnswer>

/** What a handler reads from its framework. */
export interface HandlerRequest {
  readonly params: Readonly<Record<string, string>>
  readonly body: unknown
  header(name: string): string | undefined
  /** Aborted when the client leaves before the end. */
  readonly signal: AbortSignal
}

/** What a handler writes, in its framework's usual way; with neither `json`, `text`, `bytes` nor `chunks` there is no body. */
export interface HandlerAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly text?: string
  readonly bytes?: Uint8Array<ArrayBuffer>
  /** A stream. What is thrown within it is a fault of its source. */
  readonly chunks?: AsyncIterable<string | Uint8Array<ArrayBuffer>>
  /** Nothing: the next route that matches is to answer. */
  readonly passesOn?: boolean
}

/** An app of a framework, ready to be served. */
export interface BuiltApp {
  readonly listener: RequestListener
  readonly billing: (Billing & { report(): RouteReport }) | undefined
}

/** Builds an app the way a user of the framework would. */
export type Framework = (app: App) => BuiltApp

/** The options of an app as its framework's users would write them: with functions of the framework's own request. */
export function optionsOf<Request>({ maxCeiling, maxPerDay, budgets, ...options }: NonNullable<App['billing']>, asker: (request: Request) => Asker): BillingOptions<Request> {
  const asked = (limit: Limit<Asker>) => (typeof limit === 'function' ? (request: Request) => limit(asker(request)) : limit)
  return {
    ...options,
    account: (request) => asker(request).header('x-account'),
    ...(maxCeiling !== undefined && { maxCeiling: asked(maxCeiling) }),
    ...(maxPerDay !== undefined && { maxPerDay: asked(maxPerDay) }),
    ...(budgets && { budgets: (request) => budgets(asker(request)) }),
  }
}

/** The method in lower case, as the frameworks name their functions. */
export function splitRoute(route: string): { method: string; path: string } {
  const [method = '', path = ''] = route.split(' ')
  return { method: method.toLowerCase(), path }
}
