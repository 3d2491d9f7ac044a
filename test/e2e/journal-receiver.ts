import type { JournalEntry } from '@farebox/core'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

/** Takes batches of CloudEvents, and in most cases does not say so: the answer is lost, late, or that it failed. */
export async function startReceiver() {
  const taken: JournalEntry[] = []
  const receiver = { taken, url: '', faults: true, seen: { refused: 0, hung: 0, lost: 0, taken: 0 }, stop: () => server.closeAllConnections() }
  const server = createServer((request, response) => void json(request).then((batch) => {
    const chance = receiver.faults ? Math.random() : 1
    if (chance < 0.1) {
      receiver.seen.refused++
      return response.writeHead(503).end()
    }
    taken.push(...(batch as { data: JournalEntry }[]).map(({ data }) => data))
    if (chance < 0.2) return void receiver.seen.hung++
    if (chance < 0.3) {
      receiver.seen.lost++
      return request.socket.destroy()
    }
    receiver.seen.taken++
    return response.writeHead(204).end()
  }, () => {}))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}
