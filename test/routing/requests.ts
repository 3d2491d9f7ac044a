import fc from 'fast-check'
import type { LayoutRoute } from './layout.js'

/** A request, before it is known on which app it is tried. */
export interface Draft {
  /** Which of the app's routes it is aimed at. */
  readonly route: number
  /** What stands in place of parameters and wildcards. */
  readonly fill: string
  readonly method: string
  readonly spelling: readonly (keyof typeof SPELLINGS)[]
  /** How many characters in a spelling that changes one changes it. */
  readonly at: number
  readonly headers: readonly string[]
  readonly body: 'none' | 'told' | 'chunked'
  readonly payer: 'known' | 'nobody' | 'poor'
  /** What no server may take for a request, or which ends its connection. */
  readonly odd: keyof typeof ODD | undefined
  /** Pipelined: written with the one before it, whose answer it does not wait for. */
  readonly joined: boolean
}

type Spell = (path: string, at: number) => string

const escape = (char: string) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`
const change = (path: string, at: number, to: (char: string) => string) => {
  const i = path.length === 0 ? 0 : at % path.length
  return path.slice(0, i) + to(path[i] ?? 'x') + path.slice(i + 1)
}
const beforeLast = (path: string, text: string) => path.slice(0, path.lastIndexOf('/') + 1) + text + path.slice(path.lastIndexOf('/') + 1)

/** Ways of writing a target that a router may or may not take for the same. */
const SPELLINGS = {
  upper: (path) => path.toUpperCase(),
  swapCase: (path, at) => change(path, at, (char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase())),
  slashAtEnd: (path) => `${path}/`,
  noSlashAtEnd: (path) => path.replace(/(?<=.)\/$/, ''),
  slashesAtEnd: (path) => `${path}//`,
  slashAhead: (path) => `/${path}`,
  noSlashAhead: (path) => path.slice(1),
  slashDoubled: (path, at) => { const cut = path.indexOf('/', at % (path.length || 1)); return path.slice(0, cut + 1) + '/' + path.slice(cut + 1) },
  dot: (path) => beforeLast(path, './'),
  dots: (path) => beforeLast(path, 'x/../'),
  dotsEncoded: (path) => beforeLast(path, 'x/%2e%2E/'),
  dotsAhead: (path) => `/..${path}`,
  dotsBehind: (path) => `${path}/x/..`,
  encoded: (path, at) => change(path, at, escape),
  encodedTwice: (path, at) => change(path, at, (char) => escape(char).replace('%', '%25')),
  slashesEncoded: (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
  notDecodable: (path, at) => change(path, at, (char) => `${char}%`),
  badUtf8: (path, at) => change(path, at, (char) => `${char}%ff`),
  overlong: (path, at) => change(path, at, () => '%c0%af'),
  query: (path) => `${path}?x=1&run`,
  emptyQuery: (path) => `${path}?`,
  pathInQuery: (path) => `/?${path}`,
  fragment: (path) => `${path}#fragment`,
  fragmentWithin: (path, at) => change(path, at, (char) => `${char}#`),
  semicolon: (path) => `${path};a=1`,
  spaceAtEnd: (path) => `${path}%20`,
  nul: (path) => `${path}%00`,
  newline: (path, at) => change(path, at, (char) => `${char}%0d%0a`),
  dotAtEnd: (path) => `${path}.`,
  extension: (path) => `${path}.json`,
  backslash: (path) => path.replaceAll('/', '\\').replace('\\', '/'),
  absolute: (path) => `http://other.example${path}`,
  absoluteUpper: (path) => `HTTPS://OTHER.example:1${path}`,
  absoluteUser: (path) => `http://u:p@h${path}`,
  absoluteOther: (path) => `ftp://x${path}`,
  absoluteBroken: (path) => `http://[${path}`,
  authority: (path) => `//other.example${path}`,
  estimate: (path) => `${path}/estimate`,
  star: () => '*',
  long: (path) => `${path}${'/x'.repeat(60)}`,
} satisfies Record<string, Spell>

/** Requests that end their connection, whatever the server makes of them; `head` is what would have been sent. */
const ODD = {
  lowerMethod: (head: string) => head.toLowerCase().replace('http/1.1', 'HTTP/1.1'),
  unknownMethod: (head: string) => head.replace(/^\w+/, 'FOO'),
  connect: (head: string) => head.replace(/^\w+/, 'CONNECT'),
  spaceInTarget: (head: string) => head.replace(' HTTP', ' x HTTP'),
  bytesInTarget: (head: string) => head.replace(' HTTP', '\u00e9\u00ff HTTP'),
  tabAhead: (head: string) => head.replace(' /', '\t/'),
  version0: (head: string) => head.replace('HTTP/1.1', 'HTTP/1.0'),
  version2: (head: string) => head.replace('HTTP/1.1', 'HTTP/2.0'),
  noHost: (head: string) => head.replace('Host: h\r\n', ''),
  hosts: (head: string) => head.replace('Host: h\r\n', 'Host: h\r\nHost: other.example\r\n'),
  upgrade: (head: string) => head.replace('Host: h\r\n', 'Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'),
  folded: (head: string) => head.replace('Host: h\r\n', 'Host: h\r\n folded: x\r\n'),
  bothLengths: (head: string) => head.replace('Host: h\r\n', 'Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
  endsThere: (head: string) => head,
}

const HEADERS = [
  'If-None-Match: "x"', 'If-None-Match: "x"', 'If-None-Match: *', 'If-None-Match: *', 'If-Modified-Since: Sun, 22 Nov 2026 00:00:00 GMT', 'If-Match: "y"', 'Range: bytes=0-1', 'Expect: 100-continue', 'TE: trailers',
  'Accept: application/problem+json', 'Accept: text/event-stream', 'X-HTTP-Method-Override: GET', 'X-HTTP-Method-Override: DELETE', 'X-Original-URL: /v1/run', 'X-Rewrite-URL: /a',
  'X-Forwarded-Prefix: /v1', 'X-Forwarded-Host: other.example', 'Cache-Control: no-cache', 'Origin: http://o', 'Access-Control-Request-Method: POST',
]

/** `AIMED`: one that the route has. */
const METHODS = [...Array<string>(12).fill('AIMED'), 'GET', 'GET', 'POST', 'HEAD', 'HEAD', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'SEARCH', 'PURGE', 'M-SEARCH', 'LINK']

const some = <T>(weight: number, arbitrary: fc.Arbitrary<T>, instead: T) => fc.oneof({ weight, arbitrary }, { weight: 100 - weight, arbitrary: fc.constant(instead) })

export const drafts: fc.Arbitrary<Draft> = fc.record({
  route: fc.nat(99),
  fill: fc.constantFrom('7', 'run', 'Run', 'v1', 'a', 'x.y', '%20', 'a%2Fb', '..', 'estimate'),
  method: fc.constantFrom(...METHODS),
  spelling: fc.oneof(...[0, 0, 1, 1, 1, 2, 3].map((length) => fc.array(fc.constantFrom(...Object.keys(SPELLINGS) as (keyof typeof SPELLINGS)[]), { minLength: length, maxLength: length }))),
  at: fc.nat(30),
  headers: fc.array(fc.constantFrom(...HEADERS), { maxLength: 2 }),
  body: some(25, fc.constantFrom('told', 'chunked'), 'none'),
  payer: some(20, fc.constantFrom('nobody', 'poor'), 'known'),
  odd: some(6, fc.constantFrom(...Object.keys(ODD) as (keyof typeof ODD)[]), undefined),
  joined: fc.boolean(),
})

/** What every HTTP parser takes for a target. */
const PLAIN_TARGET = /^(?:\*$|\/|https?:\/\/[\w.]+\/)/i

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly name: string
  readonly method: string
  readonly line: string
  readonly bytes: Buffer
  /** It needs a connection of its own. */
  readonly alone: boolean
  /** It may be written before the one ahead of it is answered. */
  readonly joins: boolean
}

/** @param routes of the app, with their paths from the root */
export function written(draft: Draft, name: string, routes: readonly { readonly path: string; readonly route: LayoutRoute }[]): WireRequest {
  const { payer, body, odd } = draft
  const { path, route } = routes[draft.route % routes.length]!
  const method = draft.method !== 'AIMED' ? draft.method : route.methods === 'ALL' ? 'POST' : route.methods[draft.at % route.methods.length]!
  const plain = path.replace(/:\w/g, draft.fill).replace('*', `${draft.fill}/y`)
  const target = draft.spelling.reduce((path, spell) => (SPELLINGS[spell] as Spell)(path, draft.at), plain) || '/'
  const headers = [
    'Host: h', `x-request: ${name}`, ...(payer === 'nobody' ? [] : [`x-account: ${name}`]), ...(payer === 'poor' ? ['x-plan: none'] : []), ...draft.headers,
    ...(odd ? ['Connection: close'] : []), ...(body === 'none' ? [] : ['Content-Type: application/json', body === 'told' ? 'Content-Length: 7' : 'Transfer-Encoding: chunked']),
  ]
  const plainHead = [`${method} ${target} HTTP/1.1`, ...headers, '', ''].join('\r\n')
  const head = odd ? ODD[odd](plainHead) : plainHead
  const rest = { none: '', told: '{"x":1}', chunked: '4\r\n{"x"\r\n3\r\n:1}\r\n0\r\n\r\n' }[body]
  // Behind another request's response Node writes its `100 Continue` between the head and the body of the right one, where that is made of bytes.
  const joins = draft.joined && !draft.headers.includes('Expect: 100-continue')
  return { name, method, line: head.slice(0, head.indexOf('\r\n')), bytes: Buffer.from(head + rest, 'latin1'), alone: odd !== undefined || !PLAIN_TARGET.test(target), joins }
}
