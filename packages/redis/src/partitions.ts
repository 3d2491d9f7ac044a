import { FareboxError } from '@farebox/core'
import type { ScriptClient } from './connection.js'
import { partitions as script } from './program.generated.js'
import { runScript } from './script.js'

/** Rejects unless the accounts under this prefix were spread over `count` partitions from the start. */
export async function agreeOnPartitions(client: ScriptClient, key: string, count: number): Promise<void> {
  const recorded = await runScript(client, script, [key], [String(count)])
  if (recorded === String(count)) return
  throw new FareboxError('STORE_MISMATCH',
    `redisStore: the accounts under this prefix are spread over ${String(recorded)} partitions, not ${count}; open the store with partitions: ${String(recorded)}`)
}
