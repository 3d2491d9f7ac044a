import { setTimeout as sleep } from 'node:timers/promises'

/** What a handler that fails on request answers, with status 500. */
export const SIMULATED_ERROR = { error: { code: 'SIMULATED', message: 'x-simulate asked for this error' } } as const

/**
 * Acts on a request's `x-simulate` header: `slow:<ms>` waits here, `error` is for the caller to act on once the
 * handler has done its work. Both: `slow:200, error`.
 */
export async function simulated(header: string | undefined): Promise<{ readonly fails: boolean }> {
  const wishes = (header ?? '').split(',').map((wish) => wish.trim())
  const slow = wishes.find((wish) => /^slow:\d+$/.test(wish))
  if (slow) await sleep(Number(slow.slice('slow:'.length)))
  return { fails: wishes.includes('error') }
}
