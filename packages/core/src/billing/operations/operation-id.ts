import { isId } from '../admission/account.js'
import type { OpenCall } from '../call/call.js'
import { chargeContext } from '../prices/context.js'
import type { Succeeded } from '../call/outcome.js'

/** Whether a call has begun an operation, by its status and what its route names. */
type Begun =
  | { readonly kind: 'none' }
  | { readonly kind: 'begun'; readonly id: string }
  | { readonly kind: 'broken'; readonly reason: string; readonly cause?: unknown }

/** What a handler answers that has accepted work and not done it yet (RFC 9110, section 15.3.3). */
const ACCEPTED = 202

export function operationOf(open: OpenCall, outcome: Succeeded): Begun {
  const { operation } = open.route
  if (!operation || outcome.status !== ACCEPTED) return { kind: 'none' }
  try {
    const id: unknown = operation(chargeContext(open, outcome))
    return isId(id) ? { kind: 'begun', id } : { kind: 'broken', reason: 'operation named no id: expected a string of 1 to 256 characters' }
  } catch (cause) {
    return { kind: 'broken', reason: 'operation threw', cause }
  }
}
