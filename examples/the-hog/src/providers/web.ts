import { setTimeout as sleep } from 'node:timers/promises'
import { pick } from 'example-support'

export interface Findings {
  readonly answer: string
  readonly sources: readonly string[]
}

/** The most sources that are read for one question. */
const MOST = 5

/** Reads the web about a question: for about a second, from one to five sources. One that begins with "fail" finds nothing. */
export async function readTheWeb(question: string): Promise<Findings> {
  await sleep(1_000)
  if (question.startsWith('fail')) throw new Error('no source could be read')
  const sources = Array.from({ length: pick([1, 2, 3, 4, MOST], question) }, (_, i) => `https://source-${i + 1}.example/${encodeURIComponent(question)}`)
  return { answer: `${sources.length} sources have an answer to: ${question}`, sources }
}
