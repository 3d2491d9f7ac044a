import { bytesOf, concat } from './bytes.js'

/** How many turns of the microtask queue a body that is already there takes at most to arrive. */
const TURNS = 32

/** How many chunks are taken at most of a body that never waits, where the runtime cuts a text into several. */
const MAX_CHUNKS = 1_024

type Chunk = ReadableStreamReadResult<Uint8Array>

/** A body of which was taken what is there. */
export interface Peeked {
  /** All of it, where it is complete. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  /** What was there already, then the read that waits. */
  readonly reads: Promise<Chunk>[]
  /** Reads what comes after that. */
  read(): Promise<Chunk>
}

/** Who is told what becomes of a body that is followed. */
export interface Follower {
  passed(chunk: Uint8Array): void
  /** Its source broke. */
  failed(): void
  /** It is at its end, or broken: waited for before anybody sees that. Resolves with text to put behind the last bytes. */
  ended(): Promise<string | undefined>
  /** Nobody wants the rest. */
  left(): Promise<void>
}

/**
 * Takes what is there of a body without waiting for anything: a text or a buffer arrives whole, and can be settled
 * before it is sent; of a stream at most what it has ready. Nothing else tells the two apart from outside.
 *
 * @param run what the source does to make its bytes is done in there
 * @param native whether the runtime's own streams take a turn of its event loop even for a text, as workerd's do
 */
export async function peek(body: ReadableStream<Uint8Array>, run: <T>(next: () => T) => T, native: boolean): Promise<Peeked> {
  const reader = body.getReader()
  const reads: Promise<Chunk>[] = []
  const chunks: Uint8Array[] = []
  // On Node what comes in pieces is a stream, however fast they come.
  let wanted = native ? MAX_CHUNKS : 2
  let done = false
  const read = () => run(() => reader.read())
  const take = (): void => {
    const next = read()
    reads.push(next)
    next.then((chunk) => {
      done = chunk.done
      if (chunk.done) return
      chunks.push(bytesOf(chunk.value))
      if (chunks.length < wanted) take()
    }, () => {})
  }
  take()
  for (let turn = 0; turn < TURNS && !done; turn++) await undefined
  if (!done && native) await new Promise((resolve) => { setTimeout(resolve, 0) })
  wanted = 0
  return { bytes: done ? concat(chunks) : undefined, reader, reads, read }
}

/** A body as it comes, no faster than it is read. */
export function follow({ reader, reads, read }: Peeked, follower?: Follower): ReadableStream<Uint8Array> {
  // Told before the broken end is read, too: a client that leaves in between pays nothing.
  reader.closed.catch(() => follower?.failed())
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let chunk: Chunk
      try {
        chunk = await (reads.shift() ?? read())
      } catch (error) {
        follower?.failed()
        await follower?.ended()
        throw error
      }
      if (!chunk.done) {
        follower?.passed(bytesOf(chunk.value))
        return controller.enqueue(chunk.value)
      }
      const tail = await follower?.ended()
      if (tail !== undefined) controller.enqueue(bytesOf(tail))
      controller.close()
    },
    async cancel(reason) {
      await Promise.all([follower?.left(), reader.cancel(reason)])
    },
  }, { highWaterMark: 0 })
}
