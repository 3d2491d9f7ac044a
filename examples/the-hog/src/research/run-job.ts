import type { Operations } from '@farebox/express'
import type { Job } from '../handlers/deep-research.js'
import { readTheWeb } from '../providers/web.js'

/** Works on a question and ends its operation: 10 credits a source that was read, nothing when it fails. */
export async function runJob(operations: Operations, { id, question }: Job): Promise<void> {
  // Apart from its end: that the store was away when the work was done must not make a failure of it.
  const findings = await readTheWeb(question).catch((error: Error) => error)
  if (findings instanceof Error) await operations.fail(id, { result: { error: findings.message } })
  else await operations.succeed(id, { usage: { source: findings.sources.length }, result: findings })
}
