import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../bin/farebox.js', import.meta.url))

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command as a shell would. */
export async function farebox(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { REDIS_URL: _, ...inherited } = process.env
  const child = spawn(process.execPath, [program, ...args], { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => { ended[stream] += text })
  const [code] = await once(child, 'close') as [number]
  return { code, ...ended }
}

/** The documents that `--json` printed. */
export function documents({ stdout }: Ended): unknown[] {
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown)
}
