import type { Refusal } from './refusals.js'

/** A complete response, as plain data for an adapter to write. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** A refusal as the caller wants to read it: the error envelope, or problem+json (RFC 9457) where `Accept` asks for that. */
export function answer(refusal: Refusal, accept: string | undefined): Answer {
  const { status, code, message, details, headers } = refusal
  if (prefersProblem(accept)) {
    const problem = { type: 'about:blank', title: message, status, code, ...details }
    return { status, headers: { 'Content-Type': 'application/problem+json', ...headers }, body: JSON.stringify(problem) }
  }
  return jsonAnswer(status, { error: { code, message, details } }, headers)
}

export function jsonAnswer(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

/** Whether problem+json is named with a weight that JSON does not beat (RFC 9110, section 12.5.1). */
function prefersProblem(accept: string | undefined): boolean {
  if (!accept) return false
  const weights = new Map(accept.toLowerCase().split(',').map(weighed))
  const problem = weights.get('application/problem+json') ?? 0
  return problem > 0 && problem >= (weights.get('application/json') ?? 0)
}

function weighed(range: string): [string, number] {
  const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  return [type, q === undefined ? 1 : Number(q.slice(2)) || 0]
}
