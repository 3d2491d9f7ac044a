import { MAX_AMOUNT, type LedgerCommand } from '@farebox/core'
import fc from 'fast-check'

/** One step of a run: time passes, then these commands are sent on one tick. */
export interface Step {
  readonly elapsedMs: number
  readonly commands: readonly LedgerCommand[]
}

const DAY = 86_400_000

/** Few of each, so that commands meet. */
const account = fc.constantFrom('ada', 'ada', 'bob:{1}', 'c\0\nd é')
const reservation = fc.constantFrom('r1', 'r2', 'r 3', ':head', '{}%\0')
const grant = fc.constantFrom('g1', 'g 2', ':3\n')
const product = fc.constantFrom('personas', 'personas a', 'a:b=c', '', '💸', '__proto__')
const key = fc.constantFrom('', '', 'k1', 'k1', ':k 2\n', 'ada:k1')
const payload = fc.constantFrom('p1', 'p1', 'p1', 'p 2', '')
const operation = fc.constantFrom('op1', 'op1', 'o p:2', 'ada:k1')
const progressText = fc.constantFrom('', 'half', '50 %\n')
/** What is kept as it was sent. */
const kept = fc.constantFrom('', '', '{"a":[1]}', ' a b\nc\n\0é💸', '1 2 3')
const reason = fc.constantFrom('top-up', '', 'a b\n%20')

const amount = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 100 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 99_999_999_999_999, 100_000_000_000_001, MAX_AMOUNT - 1, MAX_AMOUNT) },
)
const allowance = fc.constantFrom(0, 100, 1_000_000)
const ttlMs = fc.constantFrom(0, 1, 1_000, 60_000, 300_000)
const longTtlMs = fc.constantFrom(0, 1, 60_000, 600_000, 2 * DAY)
const elapsedMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 1, 500, 1_000) },
  { weight: 3, arbitrary: fc.constantFrom(59_999, 60_000, 119_999, 120_000, 120_001) },
  { weight: 1, arbitrary: fc.constantFrom(DAY - 1, DAY, DAY, 3 * DAY, 29 * DAY, 30 * DAY, -1_000, -DAY) },
)

/** What a settle says of its age is relative to the clock, which the run knows. */
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('reserve' as const), account, reservation, ceiling: amount, allowance, ttlMs, key, payload }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), account, reservation, ceiling: amount, charge: amount, product, firstSentAt: fc.constantFrom(0, 1, 119_999, 120_000), key, payload, response: kept }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), account, reservation, key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('extend' as const), account, reservation, ttlMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('grant' as const), account, grant, amount, reason }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('hold' as const), account, reservation, operation, ceiling: amount, product, ttlMs: longTtlMs, key, payload, response: kept }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('progress' as const), account, operation, reservation, progress: progressText, ttlMs: longTtlMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('finish' as const), account, operation, reservation, key, succeeded: fc.constantFrom(0, 1), charge: amount, result: kept }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('operation' as const), account, operation }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('balance' as const), account }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('usage' as const), account }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('entries' as const), account, after: fc.constantFrom('', '0', '1', '3', '99'), limit: fc.constantFrom(0, 1, 2, 1_000) }) },
)

const step = fc.record({ elapsedMs, commands: fc.array(command, { minLength: 1, maxLength: 6 }) })
  // Now and then one of them is sent twice.
  .chain(({ elapsedMs, commands }) => fc.constantFrom(undefined, undefined, ...commands)
    .map((again): Step => ({ elapsedMs, commands: again ? [...commands, again] : commands })))

export const steps = fc.array(step, { minLength: 1, maxLength: 25 })

/** The command as it is sent at `now`: the age of a settle becomes a time. */
export function sentAt(command: LedgerCommand, now: number): LedgerCommand {
  return command.kind === 'settle' ? { ...command, firstSentAt: now - command.firstSentAt } : command
}
