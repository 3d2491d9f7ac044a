import { z } from 'zod'
import type { JournalSink } from '../journal/sink.js'
import type { Store } from '../store/store.js'
import { MAX_CREDITS } from '../credits.js'
import { FareboxError } from '../errors.js'
import { canonicalKey, parseRouteKey } from './prices/route-key.js'
import type { Events, Listeners } from './events.js'
import type { Logger } from './logger.js'
import type { PriceBook, Route } from './prices/route.js'

/**
 * What `billing` takes. `Request` is what the framework gives its handlers: Express' request, Koa's and Hono's
 * context.
 */
export interface BillingOptions<Request, Bodies = unknown, Responses = unknown> {
  /** Who pays for this request; nothing: 401. A string of 1 to 256 characters. */
  readonly account: (request: Request) => string | null | undefined | Promise<string | null | undefined>
  /** Where balances live: `memoryStore()`, or `redisStore(url)` of @farebox/redis. */
  readonly store: Store
  /** Prices by route. Default none: then `billable` prices single routes. */
  readonly prices?: PriceBook<Bodies, Responses>
  /** Credits that an account gets with its first billable call. Default 0. */
  readonly allowance?: number
  /** What a route gets that `prices` does not list: it runs free, or is refused. Default `'free'`. */
  readonly unlisted?: 'free' | 'refuse'
  /** The most credits any call may cost; a call priced above it is refused with 403. Default: no limit. */
  readonly maxCeiling?: number
  /** The paths of the endpoints that billing adds; `false` turns one off. */
  readonly endpoints?: {
    /** Default `/v1/credits/balance`. */
    readonly balance?: string | false
    /** Default `/v1/credits/projections/usage-summary`. */
    readonly usageSummary?: string | false
    /** Has `:id` in it. Default `/v1/operations/:id`. */
    readonly operation?: string | false
    /** What a billable route's path ends with to be estimated. Default `/estimate`. */
    readonly estimate?: string | false
  }
  /** `false` only watches: everything is priced, reserved where possible and reported, and nobody is refused. Default true. */
  readonly enforce?: boolean
  /** Listeners, for logs and metrics. What one throws is logged and changes nothing. */
  readonly on?: Listeners
  /**
   * Where every ledger entry goes besides, at least once and in order per account: `cloudEvents`, `ndjsonFile` of
   * @farebox/core/ndjson, or a sink of yours. See docs/journal.md. Default: nowhere.
   */
  readonly journal?: JournalSink
  /** How long a reservation lives unless its call still runs, in ms. Default 60,000. */
  readonly reservationTtl?: number
  /** How long a call waits for the store before it is refused with 503, in ms. Default 1,000. */
  readonly storeTimeout?: number
  /** Default: the console. */
  readonly logger?: Logger
}

/** The options with every default filled in. */
export interface Settings<Request> {
  readonly account: (request: Request) => unknown
  readonly store: Store
  readonly prices: Readonly<Record<string, 'free' | Route>>
  readonly allowance: number
  readonly unlisted: 'free' | 'refuse'
  readonly maxCeiling?: number | undefined
  readonly endpoints: Readonly<Record<'balance' | 'usageSummary' | 'operation' | 'estimate', string | false>>
  readonly enforce: boolean
  readonly on: Listeners
  readonly journal?: JournalSink | undefined
  readonly reservationTtl: number
  readonly storeTimeout: number
  readonly logger: Logger
}

const aFunction = <F>(what: string) => z.custom<F>((value) => typeof value === 'function', { error: `expected ${what}` })
const EVENTS: readonly (keyof Events)[] = ['admitted', 'refused', 'settled', 'released', 'expired', 'clamped', 'late', 'shortfall', 'unlisted']
const credits = z.number().min(0).max(MAX_CREDITS)
export const milliseconds = z.int().min(1)
const endpoint = (path: string) => z.union([z.string().startsWith('/'), z.literal(false)], { error: 'expected a path that starts with "/", or false' }).default(path)

const schemaOption = z.custom<Route['body']>(
  (value) => typeof (value as Route['body'])?.['~standard']?.validate === 'function',
  { error: 'expected a schema that implements Standard Schema (zod, valibot, arktype)' },
)

/** One route's terms, as `prices` and `billable` take them. */
const routeOption: z.ZodType<Route> = z.strictObject({
  product: z.string().min(1).max(100).regex(/^\P{Surrogate}*$/u, 'expected well-formed Unicode, got a lone surrogate'),
  body: schemaOption.optional(),
  response: schemaOption.optional(),
  price: z.union([credits, aFunction<Extract<Route['price'], (...args: never) => unknown>>('a function')], {
    error: `expected a number of credits from 0 to ${MAX_CREDITS}, or a function`,
  }),
  charge: aFunction<NonNullable<Route['charge']>>('a function').optional(),
  rates: z.record(z.string(), credits).optional(),
  metering: z.boolean().optional(),
  maxDuration: milliseconds.optional(),
  operation: aFunction<NonNullable<Route['operation']>>('a function').optional(),
  onAbort: z.enum(['metered', 'ceiling', 'release']).optional(),
  providers: z.array(z.string().min(1)).optional(),
  expected: z.strictObject({ credits: credits.optional(), lowMs: z.number().min(0).optional(), highMs: z.number().min(0).optional() }).optional(),
  tokens: aFunction<NonNullable<Route['tokens']>>('a function').optional(),
}) as z.ZodType<Route>

const terms = z.union([z.literal('free'), routeOption])

const prices = z.record(z.string(), z.unknown()).default({}).transform((book, context) => {
  const seen = new Map<string, string>()
  const fault = (key: string, path: PropertyKey[], message: string) =>
    context.addIssue({ code: 'custom', path: [key, ...path], message, input: book[key] })
  for (const [key, value] of Object.entries(book)) {
    const parsed = parseRouteKey(key)
    if (typeof parsed === 'string') fault(key, [], parsed)
    else {
      const canonical = canonicalKey(parsed)
      const twin = seen.get(canonical)
      if (twin !== undefined) fault(key, [], `means the same route as "${twin}"`)
      seen.set(canonical, key)
    }
    // 'free' is told apart first, so that a fault in a route is named by its field and not by the union.
    const schema = typeof value === 'object' ? routeOption : terms
    for (const issue of schema.safeParse(value).error?.issues ?? []) {
      fault(key, issue.path, issue.path.length === 0 && issue.code === 'invalid_union' ? 'expected "free" or a route: { product, price, … }' : issue.message)
    }
  }
  return book as Readonly<Record<string, 'free' | Route>>
})

const optionsSchema = z.strictObject({
  account: aFunction<Settings<unknown>['account']>('a function that returns the account of a request'),
  store: z.custom<Store>((value) => typeof (value as Store | undefined)?.send === 'function', {
    error: 'expected a store: memoryStore() or redisStore(url)',
  }),
  prices,
  allowance: credits.default(0),
  unlisted: z.enum(['free', 'refuse']).default('free'),
  maxCeiling: credits.optional(),
  endpoints: z.strictObject({
    balance: endpoint('/v1/credits/balance'),
    usageSummary: endpoint('/v1/credits/projections/usage-summary'),
    operation: endpoint('/v1/operations/:id').refine((path) => path === false || /\/:id(?=\/|$)/.test(path), { error: 'expected a path with ":id" in it' }),
    estimate: endpoint('/estimate'),
  }).prefault({}),
  enforce: z.boolean().default(true),
  on: z.strictObject(Object.fromEntries(EVENTS.map((name) => [name, aFunction('a function').optional()]))).default({}),
  journal: z.custom<JournalSink>((value) => typeof (value as JournalSink | undefined)?.write === 'function', {
    error: 'expected a sink with a method write: cloudEvents({ url, source }), or ndjsonFile(path) of @farebox/core/ndjson',
  }).optional(),
  reservationTtl: milliseconds.min(1_000).default(60_000),
  storeTimeout: milliseconds.default(1_000),
  logger: z.custom<Logger>((value) => typeof (value as Logger | undefined)?.warn === 'function' && typeof (value as Logger).error === 'function', {
    error: 'expected an object with warn and error',
  }).default(() => console),
})

/**
 * Reads the options and fills in the defaults.
 *
 * @throws FareboxError `OPTIONS_INVALID`, whose message lists every fault there is
 */
export function parseOptions<Request>(options: unknown): Settings<Request> {
  return parseOrThrow(optionsSchema, options, 'billing options') as Settings<Request>
}

/** Reads the terms of one route. Throws as `parseOptions` does. */
export function parseRoute(route: unknown): Route {
  return parseOrThrow(routeOption, route, 'billable route')
}

/** @throws FareboxError `OPTIONS_INVALID` with a line for each fault */
export function parseOrThrow<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `  ${pathOf(issue.path)}: ${issue.message}`)
  throw new FareboxError('OPTIONS_INVALID', [`${what}: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`, ...faults].join('\n'), { cause: parsed.error })
}

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'options'
  return path.map((part, i) => (/^\w+$/.test(String(part)) ? `${i ? '.' : ''}${String(part)}` : `["${String(part)}"]`)).join('')
}
