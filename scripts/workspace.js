// What `npm start` and `npm test` share. Plain Node: nothing is installed yet when this runs.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a program in the repository's root and returns its exit status; a quiet one is heard only when it fails. */
export function run(program, args, { quiet = false, env = {} } = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if (quiet && status !== 0) process.stderr.write(Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)]))
  if (error) console.error(`${program}: ${error.message}`)
  return status ?? 1
}

/** Runs one of package.json's scripts. */
export function script(name, options) {
  return run('npm', ['run', '--silent', name], options)
}

/** Installs what the lockfile names, with the pnpm that package.json names; needs npm only. */
export function install() {
  const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  // CI: pnpm asks nothing, also where it finds modules that something else has installed.
  return run('npx', ['-y', packageManager, 'install', '--frozen-lockfile'], { quiet: true, env: { CI: 'true' } })
}

export function fail(message) {
  console.error(message)
  process.exit(1)
}
