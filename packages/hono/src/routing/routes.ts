import { warnOf, type Engine, type RegisteredRoute } from '@farebox/core/adapter'
import type { RouteReport } from '@farebox/core'
import type { Handler } from 'hono'
import type { RouterRoute } from 'hono/types'
import { findTargetHandler } from 'hono/utils/handler'
import { billables } from '../billable.js'
import type { Matcher } from './estimates.js'
import { mayPassOn } from './match.js'

/** A Hono app of any type. */
export interface App {
  readonly routes: RouterRoute[]
  readonly router: Matcher
}

/** Holds the price book against what is registered in an app, and logs what a builder has to look at. */
export function reportOf({ routes }: App, engine: Engine<never>, billing: Handler): RouteReport {
  const report = engine.report({ routes: registered(routes, engine, billing), opaque: opaque(routes, engine) })
  warnOf(report, engine.settings.logger)
  return report
}

/** One line a route, however many handlers it has. */
function registered(routes: readonly RouterRoute[], engine: Engine<never>, billing: Handler): readonly RegisteredRoute[] {
  const own = routes.flatMap((route, at) => (targetOf(route) === billing ? [{ at, path: route.path }] : []))
  const found = new Map<string, RegisteredRoute>()
  routes.forEach((route, at) => {
    const { method, path } = route
    const terms = billables.get(targetOf(route))
    if (!terms && mayPassOn(route) && method === 'ALL' && !isListed(engine, path)) return
    const key = `${method} ${path}`
    const gated = found.get(key)?.gated ?? own.some((mount) => mount.at < at && covers(mount.path, path))
    found.set(key, { ...found.get(key), method, path, gated, ...(terms && { billable: terms }) })
  })
  return [...found.values()]
}

/** Functions on a path with no route below it answer themselves: a `mount()`, static files. */
function opaque(routes: readonly RouterRoute[], engine: Engine<never>): readonly string[] {
  return routes
    .filter(({ method, path }) => method === 'ALL' && path.endsWith('/*') && path !== '/*' && !isListed(engine, path))
    .filter((route) => mayPassOn(route) && !routes.some((below) => !mayPassOn(below) && covers(route.path, below.path)))
    .map(({ path }) => path)
}

function isListed({ prices }: Engine<never>, path: string): boolean {
  return prices.routes.some(({ key }) => prices.find(key.slice(0, key.indexOf(' ')), path)?.key === key)
}

/** Whether every request to a route under `path` also matches `mount`. */
function covers(mount: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = mount.split('/')
  const open = wanted.at(-1) === '*'
  if (open) wanted.pop()
  if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false
  return wanted.every((part, i) => part === parts[i] || part === '*' || /^:\w+$/.test(part))
}

function targetOf({ handler }: RouterRoute): Handler {
  return findTargetHandler(handler) as Handler
}
