/** What handlers of the suite stream. */
export const events = { 'Content-Type': 'text/event-stream' }
export const binary = { 'Content-Type': 'application/octet-stream' }
/** The two ways in which a framework's users stream. */
export const kinds = [['events', events], ['bytes', binary]] as const

/** The second part waits until it may come. */
export async function* talk(received: Promise<unknown>, first = 'data: first\n\n'): AsyncGenerator<string> {
  yield first
  await received
  yield 'data: second\n\n'
}

/** More than anybody reads: it stops where the connection takes no more. */
export async function* endless(signal: AbortSignal): AsyncGenerator<string> {
  while (!signal.aborted) yield `data: ${'x'.repeat(65_536)}\n\n`
}

/** Has a fault in the middle, when that may come. */
export function breaking(received: Promise<unknown>): AsyncGenerator<string> {
  return talk(received.then(() => { throw new Error('thrown in the middle') }))
}

/** The bytes of a text, in chunks that mind neither its characters nor its lines. */
export async function* inChunks(text: string, size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size)
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => { signal.addEventListener('abort', () => resolve()) })
}
