import { Redis } from 'ioredis'
import { freePort } from '../support/redis.js'
import { DurableRedis } from './durable-redis.js'

export const HOST = '127.0.0.1'
/** For how long a node must be silent until it counts as down, ms. */
const NODE_TIMEOUT = '1000'

/** A node that knows no other. */
export async function startNode(settings: readonly string[]) {
  const busPort = await freePort()
  const node = await DurableRedis.start('always', [
    '--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', NODE_TIMEOUT, '--repl-diskless-sync-delay', '0', ...settings,
  ])
  return { node, busPort }
}

/** What the others call it by. */
export async function idOf(port: number): Promise<string> {
  return String(await ask(port, 'CLUSTER', 'MYID'))
}

/** Which of these slots hold keys there. */
export function used(port: number, slots: readonly number[]): Promise<readonly number[]> {
  return connected(port, async (redis) => {
    const counts = await Promise.all(slots.map((slot) => redis.cluster('COUNTKEYSINSLOT', slot)))
    return slots.filter((_, i) => counts[i] !== 0)
  })
}

/** What a node answers to a command. */
export function ask(port: number, command: string, ...args: (string | number)[]): Promise<unknown> {
  return connected(port, (redis) => redis.call(command, ...args))
}

export async function connected<T>(port: number, act: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(port, HOST)
  redis.on('error', () => {})
  try {
    return await act(redis)
  } finally {
    redis.disconnect()
  }
}

/** What a node says of itself and the others. */
export interface View { readonly info: string, readonly nodes: string, readonly replication: string }

export function viewOf(port: number): Promise<View> {
  return connected(port, async (redis) => {
    const [info, nodes, replication] = (await Promise.all([redis.cluster('INFO'), redis.cluster('NODES'), redis.info('replication')])).map(String)
    return { info: info!, nodes: nodes!, replication: replication! }
  })
}
