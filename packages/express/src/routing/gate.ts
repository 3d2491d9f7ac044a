/**
 * The framework's internals that billing builds on, all of them in this file: how a Route's handlers are run one
 * after the other, how layers match, and what the layers of an app hold. The same in Express 4.21 and 5 unless
 * said.
 */
import { METHODS } from 'node:http'
import type { ErrorRequestHandler, Express, Request, RequestHandler } from 'express'

export type Path = string | RegExp

export type Params = Readonly<Record<string, string | readonly string[]>>

/** The part of a path that a layer takes, and what it reads in it. */
export interface Match {
  readonly path: string
  readonly params: Params
}

/** What a router tries one after the other; with a `route` it leads to handlers, else to what was mounted. */
export interface Layer {
  readonly name: string
  readonly handle: unknown
  readonly route?: Route
  /** Of a Route's handler, in small letters; none for every method. */
  readonly method?: string
  readonly constructor: new (path: Path, options: object, handle: unknown) => Layer
  match(path: string): boolean | Match
  /** Of the last match, where `match` answers with a boolean (before Express 5.3). */
  readonly path?: string
  readonly params?: Params
  /** What it was registered with (Express 5.3). */
  readonly rawPath?: Path | readonly Path[]
  /** Whether it takes every path, since it was mounted without one (Express 5). */
  readonly slash?: boolean
  /** What the path was compiled to (Express 4). */
  readonly regexp?: RegExp & { readonly fast_slash: boolean }
  readonly keys?: readonly { readonly name: string | number }[]
}

/** The handlers registered under one path. */
export interface Route {
  readonly path: Path | readonly Path[]
  readonly methods: Readonly<Record<string, boolean | undefined>>
  stack: Layer[]
}

export interface Router {
  readonly stack: readonly Layer[]
  readonly caseSensitive?: boolean
  readonly strict?: boolean
  readonly mergeParams?: boolean
}

const behind = new WeakMap<Route, readonly Layer[]>()

/** What runs in each Route that a watched request reaches. Each must let requests pass that it does not know. */
export interface Gates {
  readonly before: RequestHandler
  readonly after: RequestHandler
  readonly failed: ErrorRequestHandler
}

/** Arms every Route that the framework is about to run for this request, before it runs. */
export function watch(req: Request, gates: Gates): void {
  let current: unknown = req.route
  Object.defineProperty(req, 'route', {
    configurable: true,
    enumerable: true,
    get: () => current,
    set(route: unknown) {
      current = route
      if (isRoute(route)) arm(route, gates)
    },
  })
}

/**
 * Puts the gates around a Route's handlers, once; again behind those that were added since. The stack is replaced
 * and not changed: a request that is on its way through it goes on where it was.
 */
function arm(route: Route, { before, after, failed }: Gates): void {
  const first = route.stack[0]
  const last = behind.get(route)
  if (!first || (last && route.stack.at(-1) === last.at(-1))) return
  const layer = (handle: unknown) => new first.constructor('/', {}, handle)
  const tail = last ?? [layer(after), layer(failed)]
  const handlers = route.stack.filter((layer) => !tail.includes(layer))
  route.stack = [...(last ? [] : [layer(before)]), ...handlers, ...tail]
  behind.set(route, tail)
}

/** Whether a Route has handlers for this method. One without is run for HEAD all the same, and answers nothing. */
export function handles({ methods }: Route, method: string): boolean {
  const name = method.toLowerCase()
  return Boolean(methods['_all'] ?? methods[name] ?? (name === 'head' && methods['get']))
}

/** The methods that a Route has handlers for, or `ALL`: `app.all` registers every one that Node knows. */
export function methodsOf({ methods }: Route): readonly string[] {
  if (methods['_all'] || METHODS.every((method) => methods[method.toLowerCase()])) return ['ALL']
  return Object.keys(methods).map((name) => name.toUpperCase())
}

/** What a layer takes of a path, or `undefined` where it does not match. Not while a router is matching: some keep the match on the layer. */
export function taken(layer: Layer, path: string): Match | undefined {
  try {
    const match = layer.match(path)
    if (typeof match === 'object') return match
    return match ? { path: layer.path ?? '', params: layer.params ?? {} } : undefined
  } catch {
    return undefined
  }
}

/** A layer for a path, as a router with these options makes it; `undefined` for a path that it does not accept. */
export function compile(layer: Layer, path: Path, router: Partial<Router>, end: boolean): Layer | undefined {
  try {
    return new layer.constructor(path, { end, sensitive: router.caseSensitive, strict: end && router.strict }, () => {})
  } catch {
    return undefined
  }
}

/**
 * The paths that something was mounted with. Express 4 keeps no more than what it made of them, which says whether
 * a path is the right one: what it looks like, or one of `hints`; Express 5.1 does not even keep that, but takes the right hint as it is: another path has no answer there.
 */
export function mountPaths(layer: Layer, router: Router, hints: readonly string[]): readonly Path[] {
  const { rawPath, regexp } = layer
  if (rawPath !== undefined) return [rawPath].flat() as Path[]
  if (layer.slash || regexp?.fast_slash) return ['/']
  if (!regexp) return hints.filter((hint) => isItself(layer, hint))
  const names = (layer.keys ?? []).map(({ name }) => name)
  const found = regexp.source.split('|^').map((part, i) => {
    const source = i === 0 ? part : `^${part}`
    return [plain(source, names), ...hints].find((path) => compile(layer, path, router, false)?.regexp?.source === source)
  })
  return found.every((path) => path !== undefined) ? found : [regexp]
}

/** Whether nothing tells what a mount was made with (Express 5.1): several hints may look like it. */
export function isForgotten({ rawPath, regexp, slash, route }: Layer): boolean {
  return !route && rawPath === undefined && !regexp && !slash
}

/** A path as it was before Express 4 compiled it, where it has nothing but text and plain parameters. */
function plain(source: string, names: (string | number)[]): string {
  return source
    .replace(/^\^/, '')
    .replace('\\/?(?=\\/|$)', '')
    .replace(/\(\?:\\?\/\(\[\^\\?\/\]\+\?\)\)/g, () => `/:${names.shift()}`)
    .replace(/\\(.)/g, '$1')
}

/** Whether a layer takes this path as the text of its own pattern: each parameter by a parameter's name, each wildcard (an array) by one of its own. */
function isItself(layer: Layer, path: string): boolean {
  const match = taken(layer, path)
  return match?.path === path && Object.values(match.params).every((name) => (typeof name === 'string' ? name.startsWith(':') : name.length === 1 && name[0]!.startsWith('*')))
}

/** The router of an app; `undefined` while it has none (Express 4). */
export function routerOf(app: Express): Router | undefined {
  return ('lazyrouter' in app ? app['_router' as keyof Express] : app.router) as unknown as Router | undefined
}

/** The outermost app that this one is mounted in. */
export function rootOf(app: Express): Express {
  const { parent } = app as { parent?: Express }
  return parent ? rootOf(parent) : app
}

/** What a layer leads into, where it is not a plain function. */
export function mounted({ name, handle }: Layer): Router | undefined {
  if (isRouter(handle)) return handle
  const app = isApp(handle) ? handle : name === 'mounted_app' ? appBehind(handle as RequestHandler) : undefined
  return app && routerOf(app)
}

/**
 * The app behind a function that `app.use` wrapped around it. It gets a request that tells what the app does first,
 * which is to make it one of its own; and since it then has no URL, no layer of the app sees it.
 */
function appBehind(handle: RequestHandler): Express | undefined {
  let app: Express | undefined
  const req = new Proxy({ url: '/' as string | undefined, query: {}, app: { request: {}, response: {} } }, {
    setPrototypeOf(target, prototype) {
      app ??= (prototype as { app?: Express } | null)?.app
      target.url = undefined
      return true
    },
  })
  try {
    handle(req as never, { setHeader() {} } as never, () => {})
  } catch {
    // A framework that does something else first: what is behind it stays unknown.
  }
  return app
}

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && Array.isArray((value as Route).stack) && 'methods' in value
}

function isRouter(value: unknown): value is Router {
  return typeof value === 'function' && Array.isArray((value as unknown as Router).stack)
}

function isApp(value: unknown): value is Express {
  return typeof value === 'function' && 'handle' in value && 'set' in value
}
