import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { format } from 'node:util'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import { run } from '../dist/run.js'

const program = fileURLToPath(new URL('../bin/farebox.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a shell would. */
export async function inShell(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { REDIS_URL: _, ...inherited } = process.env
  const child = spawn(process.execPath, [program, ...args], { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => { ended[stream] += text })
  const [code] = await once(child, 'close') as [number]
  return { code, ...ended }
}

/** The same without a process of its own, which takes longer than most commands: for one at a time. */
export async function farebox(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const ended = { stdout: '', stderr: '' }
  const print = (stream: keyof typeof ended) => (...values: unknown[]) => { ended[stream] += `${format(...values)}\n` }
  const write = (stream: keyof typeof ended) => (text: string | Uint8Array) => {
    ended[stream] += String(text)
    return true
  }
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(print('stdout')), vi.spyOn(console, 'error').mockImplementation(print('stderr')),
    vi.spyOn(process.stdout, 'write').mockImplementation(write('stdout')), vi.spyOn(process.stderr, 'write').mockImplementation(write('stderr')),
  ]
  vi.stubEnv('REDIS_URL', undefined)
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    await run(args)
    return { code: Number(process.exitCode ?? 0), ...ended }
  } finally {
    process.exitCode = undefined
    vi.unstubAllEnvs()
    for (const spy of spies) spy.mockRestore()
  }
}

/** The documents that `--json` printed. */
export function documents({ stdout }: Ended): unknown[] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown)
}
