import type { JournalEntry } from '@farebox/core'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

const FAULTS = [0, 'refused', 0, 'hung', 'lost', 0, 0] as const

/** Takes batches of CloudEvents, and often does not say so: it refuses them, or what it answers is late or lost. */
export async function startReceiver() {
  const taken: JournalEntry[] = []
  let requests = 0
  const receiver = { taken, url: '', faults: true, seen: { refused: 0, hung: 0, lost: 0 }, stop: () => server.closeAllConnections() }
  const server = createServer((request, response) => void json(request).then((batch) => {
    const fault = receiver.faults && FAULTS[requests++ % FAULTS.length]
    if (fault) receiver.seen[fault]++
    if (fault === 'refused') return void response.writeHead(503).end()
    taken.push(...(batch as { data: JournalEntry }[]).map(({ data }) => data))
    if (fault === 'lost') request.socket.destroy()
    else if (fault !== 'hung') response.writeHead(204).end()
  }, () => {}))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return receiver
}
