import { setTimeout as delay } from 'node:timers/promises'
import { ask, connected, HOST, idOf, startNode, used, viewOf, type View } from './cluster-node.js'
import type { Address } from './connection.js'
import type { DurableRedis } from './durable-redis.js'

const MASTERS = 3
const SLOTS = 16_384
/** ms. */
const PATIENCE = 30_000
/** What Redis says of a slot that is not, or not wholly, where it was asked for, or is nowhere. */
const REDIRECTIONS = ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN', 'NOREPLICAS']

/** A Cluster of three masters with a replica each, which keep what they are told in append-only files. */
export class ReplicatedCluster {
  private constructor(private readonly nodes: readonly DurableRedis[]) {}

  /** @param settings more options of each server's command line */
  static async start(settings: readonly string[] = []): Promise<ReplicatedCluster> {
    const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startNode(settings)))
    const cluster = new ReplicatedCluster(nodes.map(({ node }) => node))
    const masters = nodes.slice(0, MASTERS)
    await Promise.all(masters.map(({ node }, i) => ask(node.port, 'CLUSTER', 'ADDSLOTSRANGE', Math.ceil(i * SLOTS / MASTERS), Math.ceil((i + 1) * SLOTS / MASTERS) - 1)))
    // Nodes that meet with the same epoch sort it out, but that takes them seconds.
    await Promise.all(nodes.map(({ node }, i) => ask(node.port, 'CLUSTER', 'SET-CONFIG-EPOCH', i + 1)))
    for (const { node, busPort } of nodes.slice(1)) await ask(nodes[0]!.node.port, 'CLUSTER', 'MEET', HOST, node.port, busPort)
    await cluster.#until('the nodes met', ({ info, nodes }) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${2 * MASTERS}`) && !nodes.includes('handshake'))
    await Promise.all(nodes.slice(MASTERS).map(async ({ node }, i) => ask(node.port, 'CLUSTER', 'REPLICATE', await idOf(masters[i]!.node.port))))
    await cluster.#settled()
    return cluster
  }

  get addresses(): readonly Address[] {
    return this.nodes.map(({ port }) => ({ host: HOST, port }))
  }

  /** A master dies or hangs; when its replica is in its place it comes back, and follows that. */
  async failOver(how: 'kill' | 'hang'): Promise<void> {
    const master = anyOf(await this.#masters(this.nodes))
    await (how === 'kill' ? master.kill() : master.pause())
    const others = this.nodes.filter((node) => node !== master)
    await within('a replica took over', async () => (await this.#masters(others)).length === MASTERS)
    await (how === 'kill' ? master.revive() : master.resume())
    await this.#settled()
  }

  /**
   * Moves one of the slots that hold keys to another master, key by key.
   *
   * @param slots those to choose from
   * @param meanwhile what goes on when nothing, half and all of it has moved
   */
  async moveOne(slots: readonly number[], meanwhile: () => Promise<void>): Promise<void> {
    const masters = await Promise.all((await this.#masters(this.nodes)).map(async ({ port }) => ({ port, id: await idOf(port), used: await used(port, slots) })))
    const from = anyOf(masters.filter((master) => master.used.length > 0))
    const to = anyOf(masters.filter((master) => master !== from))
    const slot = anyOf(from.used)
    await ask(to.port, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
    await ask(from.port, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
    const keys = await ask(from.port, 'CLUSTER', 'GETKEYSINSLOT', slot, 100_000) as string[]
    for (const part of [[], keys.slice(keys.length / 2), keys.slice(0, keys.length / 2)]) {
      await connected(from.port, (redis) => Promise.all(part.map((key) => redis.migrate(HOST, to.port, key, 0, 5_000))))
      await meanwhile()
    }
    for (const { port } of [to, from]) await ask(port, 'CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
    await this.#settled()
  }

  /** Has every node run with another setting from now on. */
  async configure(name: string, value: string): Promise<void> {
    await Promise.all(this.nodes.map(({ port }) => ask(port, 'CONFIG', 'SET', name, value)))
  }

  /**
   * How often clients were told what of `REDIRECTIONS` since each node started, and how many epochs
   * have begun: one for each replica that was elected and each slot that arrived.
   */
  async seen(): Promise<Readonly<Record<string, number>>> {
    const stats = (await Promise.all(this.nodes.map(({ port }) => ask(port, 'INFO', 'errorstats')))).join('\n')
    const count = (name: string) => [...stats.matchAll(new RegExp(`errorstat_${name}:count=(\\d+)`, 'g'))].reduce((sum, [, times]) => sum + Number(times), 0)
    const { info } = await viewOf(this.nodes[0]!.port)
    const epochs = Number(/cluster_current_epoch:(\d+)/.exec(info)![1]) - this.nodes.length
    return { ...Object.fromEntries(REDIRECTIONS.map((name) => [name, count(name)])), epochs }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
  }

  async #masters(among: readonly DurableRedis[]): Promise<readonly DurableRedis[]> {
    const roles = await Promise.all(among.map(({ port }) => ask(port, 'INFO', 'replication')))
    return among.filter((_, i) => String(roles[i]).includes('role:master'))
  }

  /** Until every replica follows its master, and all nodes know that all are well and no slot is on its way. */
  #settled(): Promise<void> {
    return this.#until('all was well', ({ info, nodes, replication }) => info.includes('cluster_state:ok') && !/fail|handshake|disconnected|\[/.test(nodes)
      && (replication.includes('role:master') ? replication.includes('state=online') : replication.includes('master_link_status:up')))
  }

  #until(what: string, holds: (view: View) => boolean): Promise<void> {
    return within(what, async () => (await Promise.all(this.nodes.map(({ port }) => viewOf(port)))).every(holds))
  }
}

/** The slots of a store's partitions. */
export async function slotsOf({ addresses }: ReplicatedCluster, partitions = 64): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: partitions }, async (_, partition) => Number(await ask(addresses[0]!.port, 'CLUSTER', 'KEYSLOT', `{${partition}}`))))
}

/** Resolves when it holds. */
async function within(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await delay(50)) {
    if (await holds()) return
  }
  throw new Error(`it took more than ${PATIENCE} ms until ${what}`)
}

function anyOf<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!
}
