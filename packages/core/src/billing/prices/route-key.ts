/** A price-book key taken apart: `POST /v1/orgs/:org/run`. */
export interface RouteKey {
  readonly method: string
  readonly path: string
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'])

/** Reads a key, or returns what is wrong with it. */
export function parseRouteKey(key: string): RouteKey | string {
  const space = key.indexOf(' ')
  const method = key.slice(0, space)
  const path = key.slice(space + 1)
  if (space < 1 || path.trim() !== path || path === '') return 'expected "METHOD /path", for example "POST /v1/run"'
  if (!METHODS.has(method)) return `expected one of ${[...METHODS].join(', ')} before the path, got "${method}"`
  // A path that is a regular expression stands as the framework prints it: /^\/fly$/
  if (!path.startsWith('/') && path !== '*') return `expected a path that starts with "/", got "${path}"`
  return { method, path }
}

/**
 * A key in the one form in which keys are compared: names of parameters and wildcards, and a slash at the end,
 * make no difference. `GET /items/:id/` and `GET /items/:item` are one route.
 */
export function canonicalKey({ method, path }: RouteKey): string {
  return `${method} ${canonicalPath(path)}`
}

/** A path as it stands in a canonical key. */
export function canonicalPath(path: string): string {
  const named = path
    .replace(/:[A-Za-z_$][\w$]*/g, ':')
    .replace(/\{?\/?\*[A-Za-z_$][\w$]*\}?|\/\(\.\*\)/g, (wildcard) => (wildcard.includes('/') ? '/*' : '*'))
    .replace(/\/{2,}/g, '/')
  if (named === '*') return '/*'
  return named.length > 1 && named.endsWith('/') ? named.slice(0, -1) : named
}
