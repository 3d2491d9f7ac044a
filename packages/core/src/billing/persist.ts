import { pause } from './timers.js'

/** Between two tries, ms. */
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000

/** Does what is safe to do again until it succeeds. Rejects only when it fails while `last` says that there is no more time. */
export function persist<T>(act: () => Promise<T>, last: () => boolean): Promise<T> {
  return act().catch(() => tryAgain(act, last))
}

/** As `persist`, of what has just failed. */
export async function tryAgain<T>(act: () => Promise<T>, last: () => boolean): Promise<T> {
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, LAST_RETRY_MS)) {
    await pause(wait)
    const isLast = last()
    try {
      return await act()
    } catch (error) {
      if (isLast) throw error
    }
  }
}
