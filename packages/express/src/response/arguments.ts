type Callback = (error?: Error | null) => void

/** What `write` was given, or `end`, to which nothing is `empty`. Anything but text and bytes throws, as it does in Node: before the response has begun. */
export function argumentsOf(args: unknown[], empty?: string): [chunk: string | Uint8Array, encoding: BufferEncoding | undefined, callback: Callback | undefined] {
  const callback = args.find((arg) => typeof arg === 'function') as Callback | undefined
  const [given, encoding] = args.filter((arg) => typeof arg !== 'function')
  const chunk = given || (empty ?? given)
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return [chunk, encoding as BufferEncoding | undefined, callback]
  throw Object.assign(new TypeError('The "chunk" argument must be of type string or an instance of Buffer or Uint8Array.'), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** Bytes of their own: a handler may use its buffer again. */
export function bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding | undefined): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk)
}

/** What Node tells whoever writes to a response that has ended. */
export function writtenAfterEnd(): Error {
  return Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' })
}
