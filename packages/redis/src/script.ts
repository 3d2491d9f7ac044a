import type { ScriptClient } from './connection.js'

export interface Script {
  readonly text: string
  readonly sha1: string
}

/** Runs a script by its hash, and by its text where the server doesn't know the hash (yet, or any more). */
export async function runScript(client: ScriptClient, { text, sha1 }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
  try {
    return await client.evalsha(sha1, keys.length, ...keys, ...args)
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    return await client.eval(text, keys.length, ...keys, ...args)
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
