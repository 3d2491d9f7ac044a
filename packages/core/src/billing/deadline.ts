import { FareboxError } from '../errors.js'

/** Waits for the store for at most `ms`; then, or when it fails, rejects with `STORE_UNAVAILABLE`. */
export async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FareboxError('STORE_UNAVAILABLE', `the store did not answer within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } catch (cause) {
    if (cause instanceof FareboxError) throw cause
    throw new FareboxError('STORE_UNAVAILABLE', 'the store failed', { cause })
  } finally {
    clearTimeout(timer)
  }
}
