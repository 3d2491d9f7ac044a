/** How a call ended. The response's body is parsed only when a charge asks for it. */
export type Outcome =
  | { readonly kind: 'failed' }
  | { readonly kind: 'succeeded'; readonly status: number; body(): unknown }

/** Status 400 and above is a failure; a redirect or a 304 came from a handler that did its work. */
export function isFailure(status: number): boolean {
  return status >= 400
}
