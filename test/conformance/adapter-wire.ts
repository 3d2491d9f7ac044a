import { once } from 'node:events'
import { request, type Agent, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'

export interface WireOptions {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly agent?: Agent | undefined
}

/** A call whose socket is in hand: it reads trailers, reads as slowly as it likes and leaves at any moment. */
export class Wire {
  readonly #request
  /** The response when its head is there. */
  readonly head: Promise<IncomingMessage>
  /** How many bytes `drain` has read. */
  received = 0

  constructor(method: string, url: string, { headers, body, agent }: WireOptions) {
    this.#request = request(url, { method, headers, ...(agent && { agent }) })
    this.#request.on('error', () => {})
    this.head = once(this.#request, 'response').then(([response]) => {
      const head = response as IncomingMessage
      // Whoever leaves knows that the response ends early.
      return head.on('error', () => {})
    })
    this.head.catch(() => {})
    this.#request.end(body)
  }

  /** Closes the socket at once. */
  leave(): void {
    this.#request.destroy()
  }

  /** Closes it with a fault, as a process that ends does: the server's socket breaks before it closes. */
  async reset(): Promise<void> {
    const socket = this.#request.socket ?? (await once(this.#request, 'socket'))[0] as Socket
    socket.resetAndDestroy()
  }

  /** Whether the response came to its end is told by `whole`. */
  async read(): Promise<{ readonly whole: boolean; readonly text: string; readonly trailers: NodeJS.Dict<string> }> {
    const head = await this.head
    const read = await text(head).catch(() => undefined)
    return { whole: read !== undefined && head.complete, text: read ?? '', trailers: head.trailers }
  }

  /** Reads to the end and keeps nothing. */
  async drain(): Promise<void> {
    for await (const chunk of await this.head) this.received += (chunk as Buffer).length
  }

  /** Resolves when some of the body is there. */
  async begun(): Promise<IncomingMessage> {
    const head = await this.head
    if (head.readableLength === 0) await once(head, 'readable')
    return head
  }
}

/** All bytes of a response as they came, with those that a client would not look at. */
export async function rawBytes(url: string, lines: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write([...lines, `Host: ${hostname}`, 'Connection: close', '', ''].join('\r\n'))
  return text(socket)
}
