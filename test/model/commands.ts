import { MAX_AMOUNT, type LedgerCommand } from '@farebox/core'
import fc from 'fast-check'

/** One step of a run: time passes, then these commands are sent on one tick. */
export interface Step {
  readonly elapsedMs: number
  readonly commands: readonly LedgerCommand[]
}

const DAY = 86_400_000

const elapsedMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 1, 500, 1_000) },
  { weight: 3, arbitrary: fc.constantFrom(59_999, 60_000, 119_999, 120_000, 120_001) },
  { weight: 1, arbitrary: fc.constantFrom(DAY - 1, DAY, DAY, 3 * DAY, 29 * DAY, 30 * DAY, 31 * DAY, 400 * DAY, -1_000, -DAY) },
)

const text = (...texts: string[]) => fc.constantFrom(...texts)
const number = (...numbers: number[]) => fc.constantFrom(...numbers)

/** Few of each, so that commands meet. */
const odd = {
  account: text('ada', 'bob:{1}', 'c\0\nd é'),
  reservation: text('r1', 'r2', 'r 3', ':head', '{}%\0'),
  grant: text('g1', 'g 2', ':3\n', 'auto-top-up:1', 'auto-top-up:2', 'allowance:2024-10-04', 'rollover:2024-10-05'),
  product: text('personas', 'personas a', 'a:b=c', '', '💸', '__proto__'),
  key: text('', '', 'k1', ':k 2\n', 'ada:k1'),
  payload: text('p1', 'p1', 'p 2', ''),
  operation: text('op1', 'o p:2', 'ada:k1'),
  progress: text('', 'half', '50 %\n'),
  /** A response or a result. */
  kept: text('', '{"a":[1]}', ' a b\nc\n\0é💸', '1 2 3'),
  reason: text('top-up', '', 'a b\n%20'),
  refund: text('f1', 'f 2', '__proto__'),
  source: text('promotion', 'top-up', ':=,'),
  priority: number(50, 50, 10, 90),
  /** Relative to the clock, which the run knows; 0: never. */
  endsIn: number(0, 0, -1, 1, 60_000, 120_000, 3 * DAY),
  amount: fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 0, max: 100 }) },
    { weight: 1, arbitrary: number(0, 1, 99_999_999_999_999, 100_000_000_000_001, MAX_AMOUNT - 1, MAX_AMOUNT) },
  ),
  allowance: number(0, 100, 1_000_000),
  recurrence: fc.constantFrom(undefined, undefined, ...(['day', 'month'] as const).flatMap((every) => [0, 7, 1_000, MAX_AMOUNT].map((rollover) => ({ every, rollover })))),
  budgets: fc.oneof(fc.constant(undefined), fc.array(fc.record({
    scope: fc.constantFrom('key:abc', 'a,b:|c 100%', ''), window: fc.constantFrom('day' as const, 'month' as const, 'total' as const), limit: number(0, 20, 100, 1_000, MAX_AMOUNT),
  }), { maxLength: 3 })),
  details: fc.constantFrom(undefined, undefined, '', '{"requestId":"a b","items":[{"unit":"é"}]}', '{}'),
  watch: text('w1', 'w2', 'w 3,'),
  thresholds: fc.uniqueArray(fc.constantFrom(
    { kind: 'below' as const, amount: 20 }, { kind: 'below' as const, amount: 150 }, { kind: 'used' as const, millionths: 500_000 }, { kind: 'used' as const, millionths: 1_000_000 },
    { kind: 'top_up' as const, amount: 60, retryMs: 1_000 }, { kind: 'top_up' as const, amount: 150, retryMs: 60_000 },
  ), { maxLength: 4, selector: ({ kind, ...rest }) => (kind === 'top_up' ? kind : JSON.stringify(rest)) }),
  ttlMs: number(0, 1, 1_000, 60_000, 300_000),
  longTtlMs: number(0, 1, 60_000, 600_000, 2 * DAY),
}

/** An account that has credits and calls that get on: each has its reservation, and few have a key or an operation of their own. */
const ordinary: typeof odd = {
  ...odd,
  account: text('dan'),
  reservation: text('r1', 'r2', 'r3', 'r4'),
  key: text('', 'k1', 'k1', 'k1', 'k2'),
  payload: text('p1', 'p1', 'p1', 'p1', 'p2'),
  operation: text('op1', 'op1', 'op2'),
  amount: fc.integer({ min: 20, max: 40 }),
  allowance: number(200),
  ttlMs: number(60_000),
  longTtlMs: number(0, 60_000, 600_000, 2 * DAY),
}

/** What a settle says of its age is relative to the clock, which the run knows. */
function commandOf({ account, reservation, grant, product, key, payload, operation, progress, kept, reason, refund, source, priority, endsIn, amount, allowance, recurrence, budgets, details, watch, thresholds, ttlMs, longTtlMs }: typeof odd, reserves: number) {
  const call = { account, reservation, key }
  const firstSentAt = fc.constantFrom(0, 1, 119_999, 120_000)
  return fc.oneof(
    { weight: reserves, arbitrary: fc.record({ kind: fc.constant('reserve' as const), ...call, payload, ceiling: amount, allowance, recurrence, budgets, ttlMs }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('settle' as const), ...call, payload, response: kept, ceiling: amount, charge: amount, product, firstSentAt, details, budgets }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), ...call }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('extend' as const), account, reservation, ttlMs }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('grant' as const), account, grant, amount, reason, source, priority, expiresAt: endsIn }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('refund' as const), account, reservation, refund, entry: fc.constantFrom('1', '2', '3', '4', '6', '8', '0', 'x', '-1', '1.5'), amount: fc.oneof(fc.constant(0), amount), reason, details }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('hold' as const), ...call, payload, response: kept, operation, ceiling: amount, product, ttlMs: longTtlMs }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('progress' as const), account, operation, reservation, key, progress, ttlMs: longTtlMs }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('finish' as const), ...call, operation, succeeded: fc.constantFrom(0, 1, 1), charge: amount, result: kept, details, budgets }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('operation' as const), account, operation }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('exported' as const), account, upTo: fc.constantFrom(0, 1, 2, 3, 5, 8, 99) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('balance' as const), account, budgets }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('watch' as const), account, watch, thresholds }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('usage' as const), account }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('entries' as const), account, after: fc.constantFrom('', '0', '1', '3', '99'), limit: fc.constantFrom(0, 1, 2, 1_000) }) },
  )
}

const command = fc.oneof(commandOf(odd, 6), commandOf(ordinary, 20))

const step = fc.record({ elapsedMs, commands: fc.array(command, { minLength: 1, maxLength: 6 }) })
  // Now and then one of them is sent twice.
  .chain(({ elapsedMs, commands }) => fc.constantFrom(undefined, undefined, ...commands)
    .map((again): Step => ({ elapsedMs, commands: again ? [...commands, again] : commands })))

export const steps = fc.array(step, { minLength: 1, maxLength: 25, size: 'max' })

/** The command as it is sent at `now`: the age of a settle becomes a time, and so does the life of a grant. */
export function sentAt(command: LedgerCommand, now: number): LedgerCommand {
  if (command.kind === 'grant') return { ...command, expiresAt: command.expiresAt === 0 ? 0 : now + command.expiresAt }
  return command.kind === 'settle' ? { ...command, firstSentAt: now - command.firstSentAt } : command
}
