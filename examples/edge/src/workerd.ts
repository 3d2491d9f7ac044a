import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { build } from 'esbuild'

// The package is CommonJS and has no types; it exports the path of its binary.
const require = createRequire(import.meta.url)
const { default: workerd } = require('workerd') as { default: string }

export interface Served {
  readonly workerd: ChildProcess
  /** The port that it took; never resolves where it ends before it listens. */
  readonly listening: Promise<number>
}

/** Bundles a worker and starts workerd on it. Port 0 takes a free one. */
export async function serveWorker(entry: string, port: number, bindings: Readonly<Record<string, string>>): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'farebox-edge-'))
  await build({
    entryPoints: [entry],
    outfile: join(folder, 'worker.js'),
    bundle: true,
    format: 'esm',
    // Not Node: an import of one of its modules fails here.
    platform: 'browser',
    target: 'es2023',
    logLevel: 'warning',
  })
  await writeFile(join(folder, 'workerd.capnp'), configOf(port, bindings))
  const child = spawn(workerd, ['serve', join(folder, 'workerd.capnp'), '--control-fd=3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  child.once('exit', () => rmSync(folder, { recursive: true }))
  return { workerd: child, listening: listens(child) }
}

function configOf(port: number, bindings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(bindings).map(([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`)
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "edge", worker = .worker)],
  sockets = [(name = "http", address = "*:${port}", http = (), service = "edge")],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-06-01",
  bindings = [${texts.join(', ')}],
);
`
}

/** workerd tells on its control channel which port it took, one JSON object a line. */
async function listens(child: ChildProcess): Promise<number> {
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { event: string, port?: number }
    if (event === 'listen' && port) return port
  }
  return new Promise(() => {})
}
