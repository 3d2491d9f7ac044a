const KEY = 'Idempotency-Key'
const UNKEYED: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A request as the caller made it, its body read. */
export interface Original {
  readonly input: string | URL | Request
  readonly init: RequestInit
  /** Both of them together; its body is used up. */
  readonly request: Request
  readonly body: ArrayBuffer | null
}

/** What is given to `fetch`, any number of times. */
export interface Sendable {
  readonly input: string | URL | Request
  readonly init: RequestInit
  readonly signal: AbortSignal
  /** Whether to send it again is safe when nobody knows what became of it. */
  readonly repeatable: boolean
}

export async function readRequest(input: string | URL | Request, init: RequestInit): Promise<Original> {
  const request = new Request(input, init)
  const body = request.method === 'GET' || request.method === 'HEAD' ? null : await request.arrayBuffer()
  return { input, init, request, body }
}

/**
 * The call itself. Only headers and body are ours: everything else, known to us or not, reaches `fetch` as it was given.
 * A GET may be billed too, so without a key of the caller's it is not repeatable. (To send one with every GET would cost
 * browsers a preflight.)
 */
export function toCall({ input, init, request, body }: Original): Sendable {
  const headers = new Headers(request.headers)
  if (!headers.has(KEY) && !UNKEYED.has(request.method)) headers.set(KEY, crypto.randomUUID())
  return { input, init: { ...init, headers, body }, signal: request.signal, repeatable: headers.has(KEY) }
}

/** The same request to the estimate of its route: always a POST, always free. */
export function toEstimate({ init, request, body }: Original): Sendable {
  const url = new URL(request.url)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/estimate`
  const headers = new Headers(request.headers)
  headers.delete(KEY)
  const { credentials, signal } = request
  return { input: url, init: { credentials, ...init, method: 'POST', headers, body, signal }, signal, repeatable: true }
}
