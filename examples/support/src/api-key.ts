/** The API key of a request: in `x-api-key`, or the bearer token that an SDK sends (RFC 6750, section 2.1). */
export function apiKeyOf(header: (name: string) => string | undefined): string | undefined {
  return header('x-api-key') || /^Bearer +(\S+)$/i.exec(header('authorization') ?? '')?.[1]
}
