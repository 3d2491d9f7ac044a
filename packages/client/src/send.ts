import { mayPass, readRefusal, type Refusal } from './refusal.js'
import type { Sendable } from './request.js'
import { pauseAfter, sleep } from './pause.js'

export interface SendOptions {
  /** How often a call is sent at most, the first time included. Default 5. */
  readonly attempts?: number
  /** The most time spent waiting between attempts, all together, in ms. Default 60000. A longer Retry-After is not waited for. */
  readonly maxWait?: number
  /** What sends. Default: the global `fetch`. */
  readonly fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>
  /** What waits, in ms; rejects with the signal's reason when it aborts. Default: a timer. Tests put their own here. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface Refused {
  readonly kind: 'refused'
  readonly refusal: Refusal
  readonly response: Response
}

type Answered = { readonly kind: 'response'; readonly response: Response } | Refused
type Attempted = Answered | { readonly kind: 'lost'; readonly error: unknown }

const ATTEMPTS = 5
const MAX_WAIT_MS = 60_000

/** Sends until there is an answer that stays, attempts are used up or the next pause would be too long. */
export async function send(sendable: Sendable, options: SendOptions): Promise<Answered> {
  const { attempts = ATTEMPTS, maxWait = MAX_WAIT_MS, fetch = globalThis.fetch, sleep: wait = sleep } = options
  let waited = 0
  for (let attempt = 1; ; attempt++) {
    const attempted = await sendOnce(fetch, sendable)
    const pause = pauseAfter(attempt, retryAfterOf(attempted))
    if (attempt >= attempts || waited + pause > maxWait || !mayEndDifferently(attempted, sendable)) {
      if (attempted.kind === 'lost') throw attempted.error
      return attempted
    }
    await wait(pause, sendable.signal)
    waited += pause
  }
}

async function sendOnce(fetch: NonNullable<SendOptions['fetch']>, { input, init }: Sendable): Promise<Attempted> {
  try {
    const response = await fetch(input, init)
    const refusal = await readRefusal(response)
    return refusal ? { kind: 'refused', refusal, response } : { kind: 'response', response }
  } catch (error) {
    return { kind: 'lost', error }
  }
}

function mayEndDifferently(attempted: Attempted, { repeatable, signal }: Sendable): boolean {
  switch (attempted.kind) {
    case 'response': return false
    // A refused call did not run: sending it again is safe without a key, too.
    case 'refused': return mayPass(attempted.refusal)
    case 'lost': return repeatable && !signal.aborted
  }
}

function retryAfterOf(attempted: Attempted): number | undefined {
  return attempted.kind === 'refused' && 'retryAfterMs' in attempted.refusal ? attempted.refusal.retryAfterMs : undefined
}
