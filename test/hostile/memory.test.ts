import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { ROUNDS } from './texts.js'

const WARM_UP = 3
const CALLS_A_ROUND = 200
/** What is held varies by so much from one collection to the next and what the engine itself adds in thousands of calls: a request's key and account kept would be more. */
const SLACK_BYTES = 500_000
const SLACK_BYTES_A_CALL = 50

it('memory does not grow with hostile requests', async () => {
  const rounds = WARM_UP + Math.max(5, Math.ceil(ROUNDS / 100))
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', fileURLToPath(new URL('memory-process.js', import.meta.url)), String(rounds), String(CALLS_A_ROUND)])
  const held = (JSON.parse(stdout) as number[]).slice(WARM_UP)
  expect(held.at(-1)! - held[0]!, `bytes after each round: ${held.join()}`).toBeLessThan(SLACK_BYTES + (held.length - 1) * CALLS_A_ROUND * SLACK_BYTES_A_CALL)
}, 60_000 + ROUNDS * 100)
