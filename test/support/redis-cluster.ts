import { Cluster, Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { startRedis, type RedisServer } from './redis.js'

const SLOTS = 16_384

export interface RedisCluster {
  readonly nodes: readonly { readonly host: string, readonly port: number }[]
  stop(): Promise<void>
}

/** Starts a real cluster of masters without replicas, and resolves once it serves every slot. */
export async function startRedisCluster(masters = 3): Promise<RedisCluster> {
  const servers = await Promise.all(Array.from({ length: masters }, () => startNode()))
  const admins = servers.map(({ url }) => new Redis(url))
  await Promise.all(admins.map((admin, i) =>
    admin.call('CLUSTER', 'ADDSLOTSRANGE', Math.ceil(i * SLOTS / masters), Math.ceil((i + 1) * SLOTS / masters) - 1)))
  await Promise.all(servers.slice(1).map(({ port }) => admins[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port)))
  for (const admin of admins) await untilServing(admin, masters)
  for (const admin of admins) admin.disconnect()
  return {
    nodes: servers.map(({ port }) => ({ host: '127.0.0.1', port })),
    async stop() { await Promise.all(servers.map((server) => server.stop())) },
  }
}

/** A client of it. */
export function connectTo({ nodes }: RedisCluster): Cluster {
  return new Cluster([...nodes])
}

/** The port of the nodes' own talk is 10,000 above, so it has to fit. */
async function startNode(): Promise<RedisServer> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 30_000)
    try {
      return await startRedis({ port, args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] })
    } catch {
      // taken: another one
    }
  }
}

async function untilServing(admin: Redis, masters: number): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) {
    const info = String(await admin.call('CLUSTER', 'INFO'))
    if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${masters}`)) return
  }
  throw new Error('the cluster did not come up within 10 s')
}
