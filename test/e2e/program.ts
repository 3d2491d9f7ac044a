import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A program of the repository that runs in a process of its own. */
export interface Program {
  readonly child: ChildProcess
  /** What it has said so far. */
  readonly said: () => string
  /** What an example says once it listens; rejects when it ends before. */
  readonly listens: Promise<string>
  /** Its status and all that it said, once no process has its output open any more. */
  readonly ended: Promise<{ readonly status: number | null; readonly said: string }>
}

const children: ChildProcess[] = []
afterAll(() => { for (const child of children) child.kill('SIGKILL') })

/** Runs a program, for as long as the tests of this file at most. */
export function run(file: string, { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {}): Program {
  const child = spawn(process.execPath, [file, ...args], { cwd: root, env: { ...process.env, REDIS_URL: '', ALLOWANCE: '', PORT: '0', ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let said = ''
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, said }))
  const listens = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => { if (said.includes('usage-summary')) resolve(said) })
    void ended.then(() => reject(new Error(said)))
  })
  listens.catch(() => {})
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').prependListener('data', (text: string) => { said += text })
  return { child, said: () => said, listens, ended }
}
