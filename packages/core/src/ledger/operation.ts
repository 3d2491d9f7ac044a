import { release, settle } from './close.js'
import type { Closed, Finish, Hold, NoOperation, OperationRead, Progress, ReadOperation, Replies } from './commands.js'
import { prolong } from './extend.js'
import { callUnder, keep } from './keyed-call.js'
import { RECORD_KEPT_MS } from './limits.js'
import { openReservation } from './reservations.js'
import { standing } from './standing.js'
import type { AccountState, Operation, OperationStatus } from './state.js'

export function hold(state: AccountState, command: Hold, now: number): [AccountState, Replies['hold']] {
  const { operation: id, reservation, ceiling, product, key, payload, response } = command
  const known = current(state, id, now)
  if (known && known.reservation !== reservation) return [state, { kind: 'operation_conflict', ...standing(state) }]
  if (known) return [state, read(state, id, known, now)]

  const expiresAt = now + command.ttlMs
  const startedAt = openReservation(state, reservation, now)?.reservedAt ?? now
  const prolonged = prolong(state, reservation, expiresAt, now)
  const answered = keep(prolonged, key, { reservation, payload, finished: false, ceiling, charge: 0, response }, now)
  return put(answered, id, {
    reservation, product, ceiling, startedAt, status: 'pending', charge: 0, shortfall: 0, late: false,
    finishedAt: 0, progress: '', result: '', keptUntil: expiresAt + RECORD_KEPT_MS,
  }, now)
}

export function progress(state: AccountState, command: Progress, now: number): [AccountState, Replies['progress']] {
  const known = current(state, command.operation, now)
  if (!known) return [state, noOperation(state)]
  if (statusOf(state, known, now) !== 'pending') return [state, read(state, command.operation, known, now)]
  const expiresAt = command.ttlMs === 0 ? 0 : now + command.ttlMs
  return put(prolong(state, known.reservation, expiresAt, now), command.operation, {
    ...known,
    progress: command.progress === '' ? known.progress : command.progress,
    keptUntil: Math.max(known.keptUntil, expiresAt + RECORD_KEPT_MS),
  }, now)
}

/** A finished operation stays as it is. One that has expired is charged late, like every call. */
export function finish(state: AccountState, command: Finish, now: number): [AccountState, Replies['finish']] {
  const known = current(state, command.operation, now)
  if (!known) return [state, noOperation(state)]
  if (known.status !== 'pending') return [state, read(state, command.operation, known, now)]
  const [closed, end] = command.succeeded === 1 ? charge(state, command, known, now) : release(state, { ...command, kind: 'release', reservation: known.reservation }, now)
  const { charge: charged, shortfall, late } = end
  return put(closed, command.operation, {
    ...known, status: command.succeeded === 1 ? 'succeeded' : 'failed', charge: charged, shortfall, late,
    finishedAt: now, result: command.result, keptUntil: now + RECORD_KEPT_MS,
  }, now)
}

function charge(state: AccountState, command: Finish, { reservation, ceiling, product }: Operation, now: number): [AccountState, Closed] {
  const call = callUnder(state, command.key, now)
  const own = call?.reservation === reservation ? { key: command.key, payload: call.payload, response: call.response } : { key: '', payload: '', response: '' }
  const { account, charge, details, budgets } = command
  // Sent for the first time now: whether it was charged before is what the operation itself remembers.
  return settle(state, { kind: 'settle', account, reservation, ceiling, charge, product, firstSentAt: now, ...(details && { details }), ...(budgets && { budgets }), ...own }, now) as [AccountState, Closed]
}

export function readOperation(state: AccountState, { operation }: ReadOperation, now: number): OperationRead | NoOperation {
  const known = current(state, operation, now)
  return known ? read(state, operation, known, now) : noOperation(state)
}

function current({ operations }: AccountState, id: string, now: number): Operation | undefined {
  const known = operations.get(id)
  return known && known.keptUntil > now ? known : undefined
}

function put(state: AccountState, id: string, operation: Operation, now: number): [AccountState, OperationRead] {
  const after = { ...state, operations: state.operations.set(id, operation) }
  return [after, read(after, id, operation, now)]
}

function read(state: AccountState, id: string, operation: Operation, now: number): OperationRead {
  const { reservation, product, ceiling, charge, shortfall, late, startedAt, finishedAt, progress, result } = operation
  const status = statusOf(state, operation, now)
  return { kind: 'operation', operation: id, status, reservation, product, ceiling, charge, shortfall, late, startedAt, finishedAt, progress, result, ...standing(state) }
}

function statusOf(state: AccountState, { status, reservation }: Operation, now: number): OperationStatus {
  return status === 'pending' && !openReservation(state, reservation, now) ? 'expired' : status
}

function noOperation(state: AccountState): NoOperation {
  return { kind: 'no_operation', ...standing(state) }
}
