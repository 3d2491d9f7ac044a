/** workerd cancels a timer with the request that set it, and lets no other request wait for what one has begun. */
export function timersEndWithRequest(): boolean {
  return (globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent === 'Cloudflare-Workers'
}

/** Resolves when so many ms have passed. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

/** A timer that does not keep its process alive. */
export function backgroundTimer(run: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, ms)
  const handle: unknown = timer
  if (typeof handle === 'object') (handle as { unref?(): void }).unref?.()
  return timer
}
