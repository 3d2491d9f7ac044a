import { connect, type Socket } from 'node:net'
import type { WireRequest } from './requests.js'

type Sent = Pick<WireRequest, 'method' | 'bytes'>

/**
 * Sends requests over one connection, those of a group at once and a group when all before it are answered; fewer
 * statuses come back where the server closes it.
 */
export function sendAll(port: number, groups: readonly (readonly Sent[])[], quietMs: number): Promise<readonly number[]> {
  return new Promise((resolve) => {
    const waiting = [...groups]
    const sent: Sent[] = []
    const statuses: number[] = []
    let unread = Buffer.alloc(0)
    const sendNext = () => {
      const group = waiting.shift()
      if (!group) return void socket.destroy()
      sent.push(...group)
      socket.write(Buffer.concat(group.map(({ bytes }) => bytes)))
    }
    const socket: Socket = connect(port, '127.0.0.1', sendNext)
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('error', () => {}).on('close', () => resolve(statuses)).on('end', () => socket.end())
    socket.on('data', (data) => {
      unread = Buffer.concat([unread, data])
      while (statuses.length < sent.length) {
        const read = readResponse(unread, sent[statuses.length]!.method)
        if (!read) break
        unread = unread.subarray(read.length)
        if (read.status >= 100 && read.status < 200) continue
        if (statuses.push(read.status) === sent.length) sendNext()
      }
    })
  })
}

/** The first response of these bytes, where it is all there. */
function readResponse(bytes: Buffer, method: string): { readonly status: number; readonly length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = bytes.toString('latin1', 0, end)
  const status = Number(head.slice(9, 12))
  const start = end + 4
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return { status, length: start }
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const last = bytes.indexOf('0\r\n\r\n', start)
    return last < 0 ? undefined : { status, length: last + 5 }
  }
  const length = start + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0)
  return bytes.length < length ? undefined : { status, length }
}
