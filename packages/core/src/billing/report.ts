import type { Logger } from './logger.js'
import type { PriceList } from './prices/price-list.js'
import { canonicalKey } from './prices/route-key.js'
import type { Route } from './prices/route.js'

/** A handler as an adapter finds it in the app. */
export interface RegisteredRoute {
  /** In capitals; `ALL` for a handler of every method. */
  readonly method: string
  /** The pattern with every mount before it. */
  readonly path: string
  /** Whether billing sees the requests to it: it does not where the route was registered before billing. */
  readonly gated: boolean
  /** The terms of a route that `billable` prices. */
  readonly billable?: Route
}

/** What an adapter finds in an app. */
export interface Registered {
  readonly routes: readonly RegisteredRoute[]
  /** Mounts whose inside the framework does not show, such as plain functions on a path. */
  readonly opaque: readonly string[]
}

/** What is sold and what is not. Routes are written `METHOD /path`. */
export interface RouteReport {
  readonly priced: readonly { readonly route: string; readonly product: string; readonly price: string }[]
  /** Registered and listed as free. */
  readonly free: readonly string[]
  /** Registered, behind billing and not in the price book: they get what `unlisted` says. */
  readonly unlisted: readonly string[]
  /** Keys of the price book that match no registered route: nothing is sold under them. */
  readonly unmatched: readonly string[]
  /** In the price book, but registered before billing: they run unbilled. */
  readonly before: readonly string[]
  /** Handlers that billing cannot see. */
  readonly opaque: readonly string[]
}

export function reportRoutes(prices: PriceList, { routes, opaque }: Registered): RouteReport {
  const listed = (route: RegisteredRoute) => prices.routes.filter(({ key }) => isKeyOf(key, route))
  const matched = (gated: boolean) => routes.filter((route) => route.gated === gated && !route.billable).flatMap(listed)
  const billable = routes.flatMap(({ method, path, billable }) => (billable ? [soldAs(`${method} ${path}`, billable)] : []))
  const behind = new Set(matched(true))
  const before = new Set(matched(false).filter((route) => !behind.has(route)))
  return {
    priced: [...behind].flatMap(({ key, terms }) => (terms === 'free' ? [] : [soldAs(key, terms)])).concat(billable),
    free: [...behind].filter(({ terms }) => terms === 'free').map(({ key }) => key),
    unlisted: routes.filter((route) => route.gated && !route.billable && listed(route).length === 0).map(({ method, path }) => `${method} ${path}`),
    unmatched: prices.routes.filter((route) => !behind.has(route) && !before.has(route)).map(({ key }) => key),
    before: [...before].filter(({ terms }) => terms !== 'free').map(({ key }) => key),
    opaque,
  }
}

/** Says what a builder has to look at; nothing when all is well. */
export function warnOf({ unmatched, before, opaque }: RouteReport, logger: Logger): void {
  for (const key of unmatched) logger.warn(`farebox: "${key}" is in the price book but no route that billing can see is registered under it`)
  for (const key of before) logger.warn(`farebox: "${key}" is registered before billing: it runs unbilled. Mount billing first`)
  for (const path of opaque) logger.warn(`farebox: billing cannot see into ${path}: what is behind it runs unbilled`)
}

/** The report as lines for a terminal. */
export function reportText({ priced, free, unlisted, unmatched, before, opaque }: RouteReport): string {
  const width = Math.max(0, ...priced.map(({ route }) => route.length), ...free.map((route) => route.length))
  return [
    ...priced.map(({ route, product, price }) => `${route.padEnd(width)}  ${price}  (${product})`),
    ...free.map((route) => `${route.padEnd(width)}  free`),
    ...unlisted.map((route) => `${route.padEnd(width)}  not in the price book`),
    ...unmatched.map((route) => `${route.padEnd(width)}  NOT REGISTERED: nothing is sold under this key`),
    ...before.map((route) => `${route.padEnd(width)}  UNBILLED: registered before billing`),
    ...opaque.map((path) => `${path.padEnd(width)}  UNSEEN: billing cannot look inside`),
  ].join('\n')
}

function isKeyOf(key: string, { method, path }: RegisteredRoute): boolean {
  const [keyMethod = ''] = key.split(' ', 1)
  if (method !== 'ALL' && method !== keyMethod) return false
  return canonicalKey({ method: keyMethod, path }) === canonicalKey({ method: keyMethod, path: key.slice(keyMethod.length + 1) })
}

function soldAs(route: string, terms: Route): RouteReport['priced'][number] {
  return { route, product: terms.product, price: priceText(terms) }
}

/** A price that is a function is shown by its own source, on one line. */
function priceText({ price, rates }: Route): string {
  if (rates) {
    const units = Object.entries(rates).map(([unit, credits]) => `${credits} per ${unit}`).join(' + ')
    return typeof price === 'number' ? `${units}, at most ${price} credits` : units
  }
  if (typeof price === 'number') return `${price} credits`
  const source = price.toString().replace(/\s+/g, ' ')
  return source.length <= 72 ? source : `${source.slice(0, 71)}…`
}
