import { concat } from './bytes.js'

/** How many turns of the microtask queue a body that is already there takes at most to arrive. */
const TURNS = 32

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
 */
export async function peek(body: ReadableStream<Uint8Array>): Promise<Peeked> {
  const reader = body.getReader()
  const reads: Promise<Chunk>[] = []
  const chunks: Uint8Array[] = []
  let arrived: Chunk | undefined
  const read = () => {
    arrived = undefined
    const next = reader.read()
    next.then((chunk) => { arrived = chunk }, () => {})
    reads.push(next)
  }
  read()
  for (let turn = 0; turn < TURNS; turn++) {
    await undefined
    if (arrived?.done) return { whole: true, bytes: concat(chunks) }
    if (arrived) {
      chunks.push(arrived.value)
      read()
    }
  }
  return { whole: false, reader, reads }
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
