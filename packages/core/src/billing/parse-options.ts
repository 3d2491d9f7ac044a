import { z } from 'zod'
import { MAX_CREDITS } from '../credits.js'
import { FareboxError } from '../errors.js'
import type { JournalSink } from '../journal/sink.js'
import type { Store } from '../store/store.js'
import type { Events } from './events.js'
import type { Logger } from './logger.js'
import type { AutoTopUp, Settings } from './options.js'
import { canonicalKey, parseRouteKey } from './prices/route-key.js'
import type { Route } from './prices/route.js'
import type { Spool } from './settlement/spool.js'

const aFunction = <F>(what: string) => z.custom<F>((value) => typeof value === 'function', { error: `expected ${what}` })
const EVENTS: readonly (keyof Events)[] = ['admitted', 'refused', 'settled', 'released', 'expired', 'clamped', 'late', 'shortfall', 'threshold', 'unlisted']
const credits = z.number().min(0).max(MAX_CREDITS)
const limit = z.union([credits, aFunction<() => unknown>('a function')], { error: `expected a number of credits from 0 to ${MAX_CREDITS}, or a function` }).optional()
export const milliseconds = z.int().min(1)
const endpoint = (path: string) => z.union([z.string().startsWith('/'), z.literal(false)], { error: 'expected a path that starts with "/", or false' }).default(path)

function isSpool(value: unknown): boolean {
  const { append, take, close } = (value ?? {}) as Partial<Spool>
  return [append, take, close].every((method) => typeof method === 'function')
}

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
  allowance: z.union([credits, z.strictObject({ credits, every: z.enum(['day', 'month']), rollover: credits.default(0) })], {
    error: 'expected a number of credits, or { credits, every: "day" or "month", rollover }',
  }).default(0),
  unlisted: z.enum(['free', 'refuse']).default('free'),
  maxCeiling: limit,
  maxPerDay: limit,
  budgets: aFunction('a function that returns the budgets of a request').optional(),
  onThreshold: z.array(z.union([z.strictObject({ below: credits.positive() }), z.strictObject({ used: z.number().min(0.000001).max(1) })], {
    error: 'expected { below: credits } or { used: a part of 1 }',
  })).default([]),
  autoTopUp: z.strictObject({ below: credits.positive(), topUp: aFunction<AutoTopUp['topUp']>('a function that returns the credits it bought') }).optional(),
  priceBookVersion: z.string().max(64).regex(/^\P{Surrogate}*$/u, 'expected well-formed Unicode, got a lone surrogate').default(''),
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
  spool: z.custom<Spool>(isSpool, { error: 'expected a spool: spoolDirectory(path) of @farebox/core/spool' }).optional(),
  onStoreError: z.strictObject({ allow: credits.positive() }, { error: 'expected { allow: credits }' }).optional(),
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
