import type { Replayed } from '../ledger/commands.js'
import type { Route } from '../billing/prices/route.js'
import type { Answer } from './answer.js'
import { carriesJson } from './body-type.js'
import { closingHeaders } from './headers.js'
import { addMetering } from './metering.js'

/** A response as its handler made it. */
export interface WholeResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBufferLike>
}

interface Kept {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The body is in base64. */
  readonly binary?: true
}

/** The longest response that is kept for an idempotency key, in characters. */
const MAX_KEPT = 262_144

/** About the connection or the moment, or a secret that is not to lie in a store for a day. */
const NOT_KEPT = /^(?:connection|keep-alive|transfer-encoding|content-length|trailer|upgrade|date|set-cookie|credits-\w+)$/i

/** A response as text, to be answered again; `''` for one that is too large. Metering is no part of it: what it says is known when it is settled. */
export function keptResponse({ status, headers, body }: WholeResponse): string {
  if (body.length > MAX_KEPT) return ''
  const text = textOf(body)
  const kept: Kept = {
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_KEPT.test(name))),
    ...(text === undefined ? { body: toBase64(body as Uint8Array), binary: true } : { body: text }),
  }
  const json = JSON.stringify(kept)
  return json.length > MAX_KEPT ? '' : json
}

/** The answer to a call that has been made before: what it answered then, and what it cost. */
export function replay({ response, ceiling, charge, available, pending }: Replayed, { metering }: Route): Answer {
  const { status, headers, body, binary } = JSON.parse(response) as Kept
  const metered = metering && isJson(headers) ? addMetering(body, { charge, ceiling, pending }) : undefined
  return {
    status,
    headers: { ...headers, ...closingHeaders({ ceiling, charge, available, operation: pending }), 'Idempotent-Replayed': 'true' },
    body: metered ?? (binary ? fromBase64(body) : body),
  }
}

function isJson(headers: Kept['headers']): boolean {
  const named = new Headers(headers)
  return carriesJson({ contentType: named.get('content-type') ?? undefined, contentEncoding: named.get('content-encoding') ?? undefined })
}

function textOf(body: string | Uint8Array): string | undefined {
  if (typeof body === 'string') return body
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
