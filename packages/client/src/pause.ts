const FIRST_PAUSE_MS = 1000

/**
 * How long to wait after an attempt, in ms: what the server asks for, and at least a back-off that doubles. The back-off
 * varies by half, so that callers who were turned away together do not come back together.
 */
export function pauseAfter(attempt: number, retryAfterMs = 0): number {
  const backOff = FIRST_PAUSE_MS * 2 ** (attempt - 1)
  return Math.max(retryAfterMs, backOff * (1 - Math.random() / 2))
}

/** Retry-After in ms from now: seconds or a date (RFC 9110, section 10.2.3). `undefined` where there is none. */
export function readRetryAfter(headers: Headers): number | undefined {
  const value = headers.get('Retry-After')
  if (value === null) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}

/** Waits, and rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    const stop = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
  })
}
