/**
 * Reservation ids: 72 random bits for the process, then a count. Short, since every open reservation is kept
 * under one, and made here, so that a command can be sent again.
 */
export function reservationIds(): () => string {
  let prefix = ''
  let count = 0
  return () => {
    // Not at start-up: an edge runtime has no randomness outside a request.
    prefix ||= btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(9)))).replaceAll('+', '-').replaceAll('/', '_')
    return `${prefix}${(count++).toString(36)}`
  }
}
