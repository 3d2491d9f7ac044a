import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ROUNDS } from './texts.js'

const WARM_UP = 3
const CALLS_A_ROUND = 200
/** What a heap varies by from one collection to the next. */
const SLACK_BYTES = 2_000_000

it('the heap does not grow with hostile requests', async () => {
  const rounds = WARM_UP + Math.max(5, Math.ceil(ROUNDS / 100))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', fileURLToPath(new URL('memory-process.js', import.meta.url)), String(rounds), String(CALLS_A_ROUND)])
  const heaps = (JSON.parse(stdout) as number[]).slice(WARM_UP)
  expect(heaps.at(-1)! - heaps[0]!, `heap after each round: ${heaps.join()}`).toBeLessThan(SLACK_BYTES)
}, 60_000 + ROUNDS * 100)
