/** A whole response, its credits read from the headers. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Readonly<Record<string, unknown>> | undefined
  readonly charged: number | undefined
  readonly ceiling: number | undefined
  readonly remaining: number | undefined
  /** It is an earlier call's, told again. */
  readonly replayed: boolean
}

export function readReply({ status, headers }: Pick<Response, 'status' | 'headers'>, text: string): Reply {
  const credits = (name: string) => (headers.has(name) ? Number(headers.get(name)) : undefined)
  return {
    status, headers, text,
    json: /json/.test(headers.get('content-type') ?? '') && text !== '' ? JSON.parse(text) as Reply['json'] : undefined,
    charged: credits('credits-charged'), ceiling: credits('credits-ceiling'), remaining: credits('credits-remaining'),
    replayed: headers.get('idempotent-replayed') === 'true',
  }
}
