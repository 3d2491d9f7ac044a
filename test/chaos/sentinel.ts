import { Redis } from 'ioredis'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort, startRedis, type RedisServer } from '../support/redis.js'
import { MASTER, openClient, type Address } from './connection.js'

const SENTINELS = 3
const SETTINGS = ['--repl-diskless-sync-delay', '0']
/** A master that no replica hears takes nothing: what it would take is lost. */
const GUARDED = [...SETTINGS, '--min-replicas-to-write', '1', '--min-replicas-max-lag', '1']
/** For how long a master must be silent until it counts as down, ms. */
const DOWN_AFTER = 2_000

/** A master, two replicas and three sentinels that watch over them. */
export class Sentinels {
  private constructor(
    private readonly settings: readonly string[], private readonly servers: RedisServer[], readonly addresses: readonly Address[], private readonly end: () => Promise<void>,
  ) {}

  /** @param guarded whether a master needs a replica that hears it, by min-replicas-to-write */
  static async start(guarded = true): Promise<Sentinels> {
    const settings = guarded ? GUARDED : SETTINGS
    const master = await startRedis({ args: settings })
    const replicas = await Promise.all([0, 1].map(() => startReplica(master.port, settings)))
    const sentinels = await Promise.all(Array.from({ length: SENTINELS }, () => startSentinel(master.port)))
    const cluster = new Sentinels(settings, [master, ...replicas], sentinels.map(({ port }) => ({ host: '127.0.0.1', port })), async () => {
      await Promise.all(sentinels.map((sentinel) => sentinel.stop()))
    })
    await cluster.#settled()
    return cluster
  }

  /** The master dies, or hangs for a while and comes back as one that has been replaced. Resolves when another one is in its place. */
  async failOver(how: 'kill' | 'hang'): Promise<void> {
    const port = await this.#masterPort()
    const master = this.servers.find((server) => server.port === port)!
    if (how === 'hang') master.pause()
    else await master.stop()
    while (await this.#masterPort() === port) await delay(20)
    if (how === 'hang') master.resume()
    else this.servers[this.servers.indexOf(master)] = await startReplica(await this.#masterPort(), this.settings, port)
    await this.#settled()
  }

  async stop(): Promise<void> {
    await this.end()
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  async #masterPort(): Promise<number> {
    return Number((await this.#ask('get-master-addr-by-name') as string[])[1])
  }

  /** Until all replicas follow the master, and all sentinels know all of them. */
  async #settled(): Promise<void> {
    for (const end = Date.now() + 20_000; Date.now() < end; await delay(50)) {
      const state = await Promise.all(this.addresses.map(({ port }) => ask(port, 'master')))
      const values = state.map((list) => Object.fromEntries(pairs(list as string[])))
      const follows = String(await this.#info()).match(/state=online/g)?.length ?? 0
      if (follows === this.servers.length - 1 && values.every((value) => value['num-slaves'] === '2' && value['num-other-sentinels'] === '2' && value['flags'] === 'master')) return
    }
    throw new Error('the replicas did not follow within 20 s')
  }

  async #info(): Promise<unknown> {
    const redis = openClient(`redis://127.0.0.1:${await this.#masterPort()}`)
    try {
      return await redis.info('replication').catch(() => '')
    } finally {
      redis.disconnect()
    }
  }

  #ask(what: string): Promise<unknown> {
    return ask(this.addresses[0]!.port, what)
  }
}

function startReplica(master: number, settings: readonly string[], port?: number): Promise<RedisServer> {
  return startRedis({ ...(port !== undefined && { port }), args: ['--replicaof', '127.0.0.1', String(master), ...settings] })
}

async function startSentinel(master: number) {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-sentinel-'))
  const port = await freePort()
  const file = join(folder, 'sentinel.conf')
  await writeFile(file, [
    `port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor ${MASTER} 127.0.0.1 ${master} 2`,
    `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER}`, `sentinel failover-timeout ${MASTER} 3000`, '',
  ].join('\n'))
  const server = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const kill = () => void server.kill('SIGKILL')
  process.once('exit', kill)
  return {
    port,
    async stop() {
      process.off('exit', kill)
      if (server.kill('SIGKILL')) await once(server, 'exit')
      await rm(folder, { recursive: true })
    },
  }
}

async function ask(port: number, what: string): Promise<unknown> {
  const sentinel = new Redis(port, { retryStrategy: (attempt) => (attempt < 40 ? 50 : null) })
  sentinel.on('error', () => {})
  try {
    return await sentinel.call('SENTINEL', what, MASTER)
  } finally {
    sentinel.disconnect()
  }
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((value, i) => (i % 2 === 0 ? [[value, list[i + 1]!] as [string, string]] : []))
}
