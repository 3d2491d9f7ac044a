import { concat } from './bytes.js'

/** How many turns of the microtask queue a body that is already there takes at most to arrive. */
const TURNS = 32

/** How many chunks are taken at most of a body that never waits. */
const MAX_CHUNKS = 1_024

type Chunk = ReadableStreamReadResult<Uint8Array>

/** A body that is complete, or one of which more is to come. */
export type Peeked =
  | { readonly whole: true; readonly bytes: Uint8Array<ArrayBuffer> }
  | Coming

export interface Coming {
  readonly whole: false
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  /** What was there already, then the read that waits. */
  readonly reads: Promise<Chunk>[]
}

/**
 * Takes what is there of a body without waiting for anything: a text or a buffer arrives whole, and can be settled
 * before it is sent; of a stream at most what it has ready. Nothing tells the two apart from outside.
 *
 * @param native whether the runtime's own streams take a turn of its event loop even for a text, as workerd's do
 */
export async function peek(body: ReadableStream<Uint8Array>, native: boolean): Promise<Peeked> {
  const reader = body.getReader()
  const reads: Promise<Chunk>[] = []
  const chunks: Uint8Array[] = []
  let looking = true
  let done = false
  const read = (): void => {
    const next = reader.read()
    reads.push(next)
    next.then((chunk) => {
      done = chunk.done
      if (chunk.done) return
      chunks.push(chunk.value)
      if (looking && chunks.length < MAX_CHUNKS) read()
    }, () => {})
  }
  read()
  for (let turn = 0; turn < TURNS && !done; turn++) await undefined
  if (!done && native) await new Promise((resolve) => { setTimeout(resolve, 0) })
  looking = false
  return done ? { whole: true, bytes: concat(chunks) } : { whole: false, reader, reads }
}

/** The rest of a body as it comes, no faster than it is read. `end` is called at its end, also when it breaks or nobody wants it. */
export function follow({ reader, reads }: Coming, end: (failed: boolean) => Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let chunk: Chunk
      try {
        chunk = await (reads.shift() ?? reader.read())
      } catch (error) {
        await end(true)
        throw error
      }
      if (!chunk.done) return controller.enqueue(chunk.value)
      await end(false)
      controller.close()
    },
    async cancel(reason) {
      await Promise.all([end(false), reader.cancel(reason)])
    },
  }, { highWaterMark: 0 })
}
