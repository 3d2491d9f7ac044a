import { RECORD_KEPT_MS, type Closed, type LedgerCommand, type LedgerReply, type OperationRead } from '@farebox/core'
import { ALLOWANCE } from './deeds.js'
import type { Call, Known } from './known.js'

/** Of the clock's being put back it is not known whether a record has been thrown away before. */
const PUT_BACK_MS = 60_000

/** What a reply says of the books. */
export interface Learned {
  /** What was posted, `kind amount reference`. */
  readonly posted: string[]
  /** What must not be said. */
  readonly wrong: string[]
}

/** Takes note of what a command was told. */
export function learn(known: Known, command: LedgerCommand, reply: LedgerReply, now: number): Learned {
  const learned: Learned = { posted: [], wrong: [] }
  const call = 'reservation' in command ? known.calls.find(({ reservation }) => reservation === command.reservation) : undefined
  switch (reply.kind) {
    case 'granted':
      if (command.kind === 'grant' && !reply.replayed) learned.posted.push(`grant ${reply.amount} ${command.grant}`)
      break
    case 'refunded':
      if (command.kind === 'refund' && !reply.replayed) learned.posted.push(`refund ${reply.amount} ${command.reservation}`)
      break
    case 'reserved':
      if (call!.deadline === 0) {
        learned.wrong.push(...soldTwice(known, call!, now))
        call!.keyKeptUntil = now + RECORD_KEPT_MS
      }
      call!.deadline = reply.expiresAt
      provision(known, learned)
      break
    case 'insufficient':
      if (reply.available >= reply.required) learned.wrong.push('refused, although it is available')
      provision(known, learned)
      break
    case 'extended':
      prolong(call!, command, now)
      if (reply.expiresAt !== call!.deadline) learned.wrong.push(`extended until ${reply.expiresAt}, not ${call!.deadline}`)
      break
    case 'settled':
      end(call!, reply, now, learned)
      break
    case 'released':
      call!.deadline = 0
      call!.released = true
      break
    case 'operation':
      operate(known, command, reply, now, learned)
      break
    default:
  }
  return learned
}

function provision(known: Known, { posted }: Learned): void {
  if (!known.provisioned) posted.push(`grant ${ALLOWANCE} allowance`)
  known.provisioned = true
}

/** Whether a key is sold that is remembered of another call: of one that is open, or was charged in time. */
function soldTwice({ calls }: Known, { key, reservation }: Call, now: number): string[] {
  const owner = calls.find((call) => call.key === key && call.reservation !== reservation && (call.deadline > now || call.charged) && call.keyKeptUntil > now + PUT_BACK_MS)
  return key !== '' && owner ? [`the key ${key} belongs to ${owner.reservation}`] : []
}

/** The first time that a call is said to be charged, its charge was posted; and it is all that was spent, or that there was. */
function end(call: Call, reply: Pick<Closed, 'charge' | 'shortfall' | 'late' | 'available'>, now: number, { posted, wrong }: Learned): void {
  const open = call.deadline > 0
  call.deadline = 0
  if (call.charged) return
  call.charged = true
  call.keyKeptUntil = open && call.keyKeptUntil > now ? now + RECORD_KEPT_MS : 0
  const { charge, shortfall, late, available } = reply
  if (charge + shortfall > 0) posted.push(`charge ${0 - charge} ${call.reservation}`)
  if (charge + shortfall !== Math.min(call.charge, call.ceiling)) wrong.push(`of ${call.charge} it charged ${charge} and lacked ${shortfall}`)
  if (late === open) wrong.push(late ? 'said to be late, and was not' : 'was late, and not said to be')
  if (shortfall > 0 && (open || available > 0)) wrong.push(`lacked ${shortfall} without need`)
}

function operate(known: Known, command: LedgerCommand, reply: OperationRead, now: number, learned: Learned): void {
  const call = known.calls.find(({ reservation }) => reservation === reply.reservation)!
  switch (command.kind) {
    case 'hold':
      if (call.operation) break
      call.operation = { id: reply.operation, heldAt: now }
      call.keyKeptUntil = now + RECORD_KEPT_MS
      prolong(call, command, now)
      break
    case 'progress':
      if (command.ttlMs > 0) prolong(call, command, now)
      break
    case 'finish':
      if (reply.status === 'succeeded') end(call, reply, now, learned)
      call.deadline = 0
      break
    default:
  }
}

/** Moves the deadline of a call that is open, never to an earlier time. */
function prolong(call: Call, command: LedgerCommand, now: number): void {
  if ('ttlMs' in command && call.deadline > 0) call.deadline = Math.max(call.deadline, now + command.ttlMs)
}
