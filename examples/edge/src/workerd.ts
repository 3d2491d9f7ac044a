import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import workerd from 'workerd'

const bundle = fileURLToPath(new URL('bundle/', import.meta.url))

/** Bundles the worker and starts workerd on it. `listening` resolves to the port that it took. */
export async function serveWorker(port: number, bindings: Readonly<Record<string, string>>): Promise<{ workerd: ChildProcess, listening: Promise<number> }> {
  await build({
    entryPoints: [fileURLToPath(new URL('worker.js', import.meta.url))],
    outfile: `${bundle}worker.js`,
    bundle: true,
    format: 'esm',
    // Not Node: an import of one of its modules fails here.
    platform: 'browser',
    target: 'es2023',
    logLevel: 'warning',
  })
  await mkdir(bundle, { recursive: true })
  await writeFile(`${bundle}workerd.capnp`, configOf(port, bindings))
  const child = spawn(workerd.default, ['serve', `${bundle}workerd.capnp`, '--control-fd=3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
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
  const lines = createInterface({ input: child.stdio[3] as Readable })
  for await (const line of lines) {
    const { event, port } = JSON.parse(line) as { event: string, port?: number }
    if (event === 'listen' && port) return port
  }
  throw new Error('workerd ended before it listened')
}
