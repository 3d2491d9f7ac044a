import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** From now on it takes connections and commands, and answers none. */
  pause(): void
  resume(): void
  stop(): Promise<void>
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** More options of redis-server's command line, e.g. `['--appendonly', 'yes']`. It persists nothing by default. */
  readonly args?: readonly string[]
}

/**
 * Starts a real redis-server in a directory of its own, and resolves once it answers.
 *
 * @example
 * const redis = await startRedis()
 * const store = redisStore(redis.url)
 * // …
 * await redis.stop()
 */
export async function startRedis({ port, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const at = port ?? await freePort()
  const directory = await mkdtemp(join(tmpdir(), 'farebox-redis-'))
  const server = spawn('redis-server',
    ['--port', String(at), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no', ...args],
    { stdio: 'ignore' })
  // A run that is broken off must not leave servers behind.
  const kill = () => void server.kill('SIGKILL')
  process.once('exit', kill)
  await answers(server, at)
  return {
    port: at,
    url: `redis://127.0.0.1:${at}`,
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async stop() {
      process.off('exit', kill)
      if (server.exitCode === null && server.kill('SIGKILL')) await once(server, 'exit')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A port of this host that nothing listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function answers(server: ChildProcess, port: number): Promise<void> {
  const failed = once(server, 'error').then(([cause]) => { throw new Error('redis-server could not be started: is it installed?', { cause }) })
  await Promise.race([failed, waitForPing(server, port)])
}

async function waitForPing(server: ChildProcess, port: number): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await delay(10)) {
    if (server.exitCode !== null) throw new Error(`redis-server on port ${port} ended with code ${server.exitCode}`)
    if (await isServer(port, server.pid)) return
  }
  throw new Error(`redis-server on port ${port} did not answer within 10 s`)
}

/** Whether it is this server that answers: the port may have been another one's. */
function isServer(port: number, pid: number | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('INFO server\r\n'))
    socket.on('data', (data) => { resolve(data.toString().includes(`process_id:${pid}\r\n`)); socket.destroy() })
    socket.on('error', () => resolve(false))
  })
}
