import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { randomNumbers } from '../e2e/processes-workload.js'

/** How likely each is, for a piece of what Redis answers. */
const ODDS = { cut: 0.01, lost: 0.005, late: 0.03 }
/** ms. */
const LATEST = 1_500

export interface Proxy {
  readonly url: string
  /** How often it did what. */
  readonly faults: Readonly<Record<keyof typeof ODDS, number>>
  /** From now on it passes everything on. */
  heal(): void
  stop(): Promise<void>
}

/**
 * Stands before a server and, by a schedule that follows from the seed, cuts connections with the answer on its way, loses all that is
 * answered on one from then on, or holds answers back, which also holds back those behind them.
 */
export async function startProxy(port: number, seed: number): Promise<Proxy> {
  const random = randomNumbers(seed)
  const faults = { cut: 0, lost: 0, late: 0 }
  const sockets = new Set<Socket>()
  let healthy = false

  function next(): keyof typeof ODDS | undefined {
    if (healthy) return undefined
    let rest = random()
    const fault = (Object.keys(ODDS) as (keyof typeof ODDS)[]).find((kind) => (rest -= ODDS[kind]) < 0)
    if (fault) faults[fault]++
    return fault
  }

  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1')
    let lost = false
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.setNoDelay().on('error', () => {}).on('close', () => {
        sockets.delete(socket)
        client.destroy()
        redis.destroy()
      })
    }
    client.pipe(redis)
    redis.on('data', (data) => {
      const fault = next()
      if (fault === 'cut') return void client.destroy()
      lost ||= fault === 'lost'
      if (lost) return
      if (fault !== 'late') return void client.write(data)
      redis.pause()
      setTimeout(() => {
        client.write(data)
        redis.resume()
      }, random() * LATEST)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    heal() { healthy = true },
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
