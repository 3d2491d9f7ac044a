import type { Call, Idempotency } from '../call/call.js'
import { ok, refuse, type Step } from './step.js'

/** A call that may be made any number of times. */
export const unkeyed: Idempotency = { key: '', payload: '' }

/** The longest key, in characters, as at Stripe. */
const MAX_LENGTH = 255

/**
 * Reads the Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07). A key belongs to an account and
 * a route, so the same key elsewhere is another one.
 */
export async function idempotencyOf(route: string, call: Call): Promise<Step<Idempotency>> {
  const header = call.header('idempotency-key')
  if (header === undefined) return ok(unkeyed)
  const key = header.trim()
  if (key === '' || key.length > MAX_LENGTH) {
    const message = `expected 1 to ${MAX_LENGTH} characters, got ${key.length}`
    return refuse({ kind: 'invalid_request', issues: [{ field: 'Idempotency-Key', message }] })
  }
  return ok({ key: await digest(`${route}\n${key}`), payload: await digest(await payloadOf(call)) })
}

/** Everything that tells one request from another: its target and its body, whatever order the members of its JSON have. */
async function payloadOf(call: Call): Promise<string> {
  const target = call.url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  const body = await call.body()
  // What can't be read (an upload) is told by its length.
  return `${target}\n${body.kind === 'parsed' ? JSON.stringify(body.value, sorted) : call.header('content-length') ?? ''}`
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** SHA-256 in base64url: 43 characters, whatever a caller sends. */
async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
