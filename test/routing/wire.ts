import { connect, type Socket } from 'node:net'
import type { WireRequest } from './requests.js'

/** Sends requests one after the other over one connection; fewer statuses come back where the server closes it. */
export function sendAll(port: number, requests: readonly Pick<WireRequest, 'method' | 'bytes'>[], quietMs: number): Promise<readonly number[]> {
  return new Promise((resolve) => {
    const statuses: number[] = []
    let unread = Buffer.alloc(0)
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(requests[0]!.bytes))
    socket.setTimeout(quietMs, () => socket.destroy())
    socket.on('error', () => {}).on('close', () => resolve(statuses)).on('end', () => socket.end())
    socket.on('data', (data) => {
      unread = Buffer.concat([unread, data])
      for (let read = readResponse(unread, requests[statuses.length]?.method); read; read = readResponse(unread, requests[statuses.length]?.method)) {
        unread = unread.subarray(read.length)
        if (read.status < 200) continue
        const next = requests[statuses.push(read.status)]
        if (next) socket.write(next.bytes)
        else socket.destroy()
      }
    })
  })
}

/** The first response of these bytes, where it is all there. */
function readResponse(bytes: Buffer, method: string | undefined): { readonly status: number; readonly length: number } | undefined {
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
