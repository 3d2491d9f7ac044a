import type { RouteReport } from '@farebox/core'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from '../values.js'

/** What a module must export, whatever its framework. */
export interface LoadedApp {
  readonly app: unknown
  readonly bill: {
    routes(app: unknown): RouteReport
    close(): Promise<void>
  }
}

/**
 * Imports an app's module, as `node` would.
 *
 * @throws UsageError where there is none, or it exports something else; what the module itself throws
 */
export async function loadApp(file: string): Promise<LoadedApp> {
  const url = pathToFileURL(resolve(file)).href
  const exported = await load(file, url)
  const found = [exported, exported['default']].find(isApp)
  if (found) return found
  const names = Object.keys(exported)
  throw new UsageError(`${file}: expected the exports \`app\` and \`bill\` (what billing() returned), or a default export { app, bill }; it exports ${names.length === 0 ? 'nothing' : names.join(', ')}`)
}

async function load(file: string, url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(url) as Record<string, unknown>
  } catch (error) {
    const { code, url: missing } = error as NodeJS.ErrnoException & { readonly url?: string }
    if (code === 'ERR_MODULE_NOT_FOUND' && missing === url) throw new UsageError(`${file}: there is no such file`)
    if (code === 'ERR_UNSUPPORTED_DIR_IMPORT' && missing === url) throw new UsageError(`${file}: expected a file, this is a directory`)
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[mc]?tsx?$/.test((error as Error).message)) {
      throw new UsageError(`${file}: TypeScript needs a loader: NODE_OPTIONS="--import tsx" npx farebox routes ${file}, or name the file it is compiled to`)
    }
    throw error
  }
}

function isApp(value: unknown): value is LoadedApp {
  const { app, bill } = (value ?? {}) as Partial<LoadedApp>
  return Boolean(app) && typeof bill?.routes === 'function' && typeof bill.close === 'function'
}
