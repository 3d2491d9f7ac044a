import type { TokenUsage } from '../../tokens/token-reader.js'

/** How a call ended. What its response says is read only when a charge asks for it. */
export type Outcome =
  | { readonly kind: 'failed' }
  | Succeeded

export interface Succeeded {
  readonly kind: 'succeeded'
  readonly status: number
  body(): unknown
  /** The tokens that the response told of. Throws what the route's own `tokens` throws. */
  usage(): TokenUsage | undefined
}

/** Status 400 and above is a failure; a redirect or a 304 came from a handler that did its work. */
export function isFailure(status: number): boolean {
  return status >= 400
}
